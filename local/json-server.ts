import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface JsonRequest {
  method: string;
  path: string;
  query: URLSearchParams;
  headers: IncomingMessage['headers'];
  body: unknown;
  /** Ends the connection without an answer. */
  drop(): void;
}

export interface JsonAnswer {
  status: number;
  body?: unknown;
}

/** `undefined` leaves the request without an answer, for ever. */
export type JsonHandler = (request: JsonRequest) => Promise<JsonAnswer | undefined> | JsonAnswer | undefined;

export interface JsonServer {
  url: string;
  port: number;
  stop(): Promise<void>;
}

/** A plain HTTP server for the stand-ins of outside services: JSON in, JSON out. */
export async function startJsonServer(
  options: { port: number; host: string },
  handler: JsonHandler,
): Promise<JsonServer> {
  const server = createServer((request, response) => {
    void answer(handler, request, response);
  });
  await listen(server, options);
  const { port } = server.address() as AddressInfo;
  return {
    port,
    url: `http://${options.host === '0.0.0.0' ? '127.0.0.1' : options.host}:${port}`,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function answer(
  handler: JsonHandler,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  try {
    const url = new URL(request.url ?? '/', 'http://localhost');
    const text = await textOf(request);
    let body: unknown;
    try {
      body = text === '' ? undefined : JSON.parse(text);
    } catch {
      send(response, { status: 400, body: { error: 'The body is not JSON' } });
      return;
    }
    const result = await handler({
      method: request.method ?? 'GET',
      path: url.pathname,
      query: url.searchParams,
      headers: request.headers,
      body,
      drop: () => request.socket.destroy(),
    });
    if (result) send(response, result);
  } catch (error) {
    // A client that disconnected is no error; anything else is a bug of the stand-in and must be visible.
    if (!request.socket.destroyed) send(response, { status: 500, body: { error: String(error) } });
  }
}

function send(response: ServerResponse, { status, body }: JsonAnswer): void {
  if (response.destroyed) return;
  if (body === undefined) response.writeHead(status).end();
  else response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

async function textOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}

function listen(server: Server, options: { port: number; host: string }): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port, options.host, () => {
      server.off('error', reject);
      resolve();
    });
  });
}
