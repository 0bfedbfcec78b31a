import assert from 'node:assert/strict';
import type { Conformance } from './conformance.js';

export const NOBODY = '019aa000-0000-7000-8000-000000000000';

export interface Answer {
  status: number;
  headers: Headers;
  text: string;
  /** Parsed, when it is JSON. */
  body: never;
}

export interface Call {
  /** Access token. */
  as?: string;
  body?: unknown;
  /** Sent instead of `body`, as it is. */
  raw?: string;
  headers?: Record<string, string>;
}

/** Makes requests and holds everything that comes back against the document. */
export class DocumentedApi {
  private keys = 0;

  constructor(
    readonly url: string,
    readonly conformance: Conformance,
  ) {}

  async call(method: string, path: string, { as, body, raw, headers = {} }: Call = {}): Promise<Answer> {
    const requestHeaders = {
      ...(as && { authorization: `Bearer ${as}` }),
      ...((body !== undefined || raw !== undefined) && { 'content-type': 'application/json' }),
      ...headers,
    };
    const response = await fetch(this.url + path, {
      method,
      headers: requestHeaders,
      body: raw ?? JSON.stringify(body),
    });
    const { status } = response;
    const text = await response.text();
    const exchange = {
      method,
      path,
      requestHeaders,
      requestBody: body,
      status,
      headers: response.headers,
      text,
    };
    assert.deepEqual(this.conformance.problemsOf(exchange), []);
    const isJson = /[/+]json\b/.test(response.headers.get('content-type') ?? '');
    return {
      status,
      headers: response.headers,
      text,
      body: (isJson ? JSON.parse(text) : undefined) as never,
    };
  }

  async statusOf(method: string, path: string, call?: Call): Promise<number> {
    return (await this.call(method, path, call)).status;
  }

  /** Headers with an Idempotency-Key, by default one that was never used. */
  idempotent(key = `key-${++this.keys}`): Record<string, string> {
    return { 'idempotency-key': key };
  }
}
