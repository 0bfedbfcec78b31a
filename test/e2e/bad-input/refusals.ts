import assert from 'node:assert/strict';
import { connect } from 'node:net';
import type { Database } from '../../../src/platform/database/index.js';

/** What a client gets that has asked for something it should not. */
export interface Refusal {
  status: number;
  headers: Headers;
  text: string;
}

export interface ProblemBody {
  type: string;
  title: string;
  status: number;
  detail: string;
  instance: string;
  code: string;
  requestId: string;
  errors?: { pointer?: string; parameter?: string; code: string; message: string }[];
}

/** Asserts that an answer is a complete problem document of a 4xx, and nothing else. */
export function problemIn({ status, headers, text }: Refusal): ProblemBody {
  assert.ok(status >= 400 && status < 500, `answered ${status}: ${text.slice(0, 300)}`);
  assert.equal(headers.get('content-type'), 'application/problem+json; charset=utf-8');
  const problem = JSON.parse(text) as ProblemBody;
  assert.equal(problem.status, status);
  assert.match(problem.code, /^[a-z]+(-[a-z]+)*$/);
  assert.match(problem.type, /^(urn:problem-type:|https:\/\/)/);
  for (const member of ['title', 'detail', 'instance', 'requestId'] as const) {
    assert.equal(typeof problem[member], 'string', member);
    assert.notEqual(problem[member], '', member);
  }
  const requestId = headers.get('x-request-id');
  if (requestId !== null) assert.equal(problem.requestId, requestId);
  return problem;
}

/** Where the problems of a document are: JSON pointers and names of parameters. */
export function placesOf({ errors = [] }: ProblemBody): string[] {
  return errors.map(({ pointer, parameter }) => pointer ?? `?${parameter}`);
}

/** Sends bytes as they are, and returns what comes back until the server hangs up or has answered once. */
export async function sendBytes(url: string, ...chunks: (string | Buffer)[]): Promise<Refusal> {
  const { hostname, port } = new URL(url);
  const received = await new Promise<string>((resolve, reject) => {
    let answer = '';
    const socket = connect(Number(port), hostname, () => {
      for (const chunk of chunks) socket.write(chunk);
    });
    socket.setTimeout(30_000, () => socket.destroy(new Error(`no answer in time, only: ${answer}`)));
    socket.on('data', (data) => {
      answer += data.toString('utf8');
      if (isComplete(answer)) {
        socket.destroy();
        resolve(answer);
      }
    });
    socket.on('error', reject);
    socket.on('close', () => resolve(answer));
  });
  return parsed(received);
}

/** Digest of every row of every table: equal digests mean that nothing at all was written. */
export async function contentOf(database: Database): Promise<Record<string, string>> {
  const tables = await database.query<{ name: string }>({
    text: `SELECT table_name AS name FROM information_schema.tables WHERE table_schema = 'public' AND table_type = 'BASE TABLE'`,
  });
  const digests = await Promise.all(
    tables.map(async ({ name }) => {
      const text = `SELECT count(*) || ' ' || coalesce(md5(string_agg(row::text, '|' ORDER BY row::text)), '') AS digest FROM "${name}" AS row`;
      const [row] = await database.query<{ digest: string }>({ text });
      return [name, row?.digest ?? ''] as const;
    }),
  );
  return Object.fromEntries(digests);
}

function isComplete(answer: string): boolean {
  const end = answer.indexOf('\r\n\r\n');
  if (end < 0) return false;
  const length = /^content-length: (\d+)/im.exec(answer.slice(0, end))?.[1];
  return length !== undefined && Buffer.byteLength(answer.slice(end + 4)) >= Number(length);
}

function parsed(answer: string): Refusal {
  const end = answer.indexOf('\r\n\r\n');
  const [statusLine = '', ...lines] = answer.slice(0, end).split('\r\n');
  const headers = new Headers(
    lines.map((line): [string, string] => {
      const colon = line.indexOf(':');
      return [line.slice(0, colon), line.slice(colon + 1).trim()];
    }),
  );
  // What comes behind belongs to what was sent behind.
  const body = Buffer.from(answer.slice(end + 4)).subarray(
    0,
    Number(headers.get('content-length') ?? Infinity),
  );
  return { status: Number(statusLine.split(' ')[1]), headers, text: body.toString('utf8') };
}
