import { STATUS_CODES, type IncomingMessage, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { newId } from '../../context/index.js';
import { ClientError, type ClientErrorStatus } from '../../errors/index.js';
import { connectionOf, type Connections } from './connections.js';
import type { Cors } from '../headers/cors.js';
import type { Exchange } from './exchange.js';
import { writtenProblem } from '../problems/problem-format.js';

/** Answers to input that never becomes a request of the application, or is one request too many: Fastify is not involved. */
export class RawResponses {
  constructor(
    private readonly connections: Connections,
    private readonly cors: Cors,
  ) {}

  /**
   * Ends a connection whose bytes are not HTTP, or arrive too slowly. Earlier requests on it are answered first: they take
   * effect, and the client must not take our error for their answer.
   */
  readonly malformed = (error: Error & { code?: string }, socket: Socket): void => {
    const connection = connectionOf(socket);
    // The parser fails again with each further byte.
    if (connection.isEnding) return;
    connection.isEnding = true;
    if (error.code === 'ECONNRESET' || !socket.writable) {
      socket.destroy(error);
      return;
    }
    const last = connection.unanswered.at(-1);
    if (!last) this.end(socket, problemOf(error));
    else if (!last.req.complete && !last.headersSent && !last.writableEnded) close(last, problemOf(error));
    else endAfter(last, socket);
  };

  /** Rejects a request that is one too many on its connection, and ends the connection after the others are answered. */
  readonly oneTooMany = (exchange: Exchange): void => {
    const { response } = exchange;
    const connection = connectionOf(response.req.socket);
    if (connection.isEnding) return;
    connection.isEnding = true;
    exchange.route = '(pipelined)';
    close(
      response,
      new ClientError({
        status: 429,
        /**
         * The connection has too many unanswered requests, and is closed after their answers. Read answers
         * before sending more.
         */
        code: 'too-many-pipelined-requests',
        detail: 'Too many unanswered requests on this connection. Read their answers first.',
        headers: { 'Retry-After': '1' },
      }),
    );
  };

  /** CONNECT is for proxies (RFC 9110 section 9.3.6). Node passes the bare socket and would close it without an answer. */
  readonly connect = (_request: IncomingMessage, socket: Socket): void => {
    socket.on('error', () => undefined);
    const connection = connectionOf(socket);
    connection.isEnding = true;
    const last = connection.unanswered.at(-1);
    if (last) endAfter(last, socket);
    else
      this.end(
        socket,
        new ClientError({
          status: 400,
          code: 'malformed-request',
          detail: 'CONNECT is not supported: this server is no proxy.',
        }),
      );
  };

  private end(socket: Socket, problem: ClientError): void {
    const { head, body } = answerOf(problem);
    const lines = Object.entries({ ...head, ...this.cors.ofMalformed }).map(
      ([name, value]) => `${name}: ${value}\r\n`,
    );
    socket.end(`HTTP/1.1 ${problem.status} ${STATUS_CODES[problem.status]}\r\n${lines.join('')}\r\n${body}`);
    // A client that neither reads nor disconnects must not keep the connection.
    socket.setTimeout(1000, () => socket.destroy());
    this.connections.emit('rawAnswer', problem.status);
  }
}

/** Answers through the response, which is then sent in its turn. */
function close(response: ServerResponse, problem: ClientError): void {
  const { head, body } = answerOf(problem);
  response.shouldKeepAlive = false;
  response.writeHead(problem.status, head).end(body);
}

function endAfter(response: ServerResponse, socket: Socket): void {
  response.shouldKeepAlive = false;
  response.once('close', () => socket.destroySoon());
}

/** Errors of Node's parser and its timeouts, by code; everything else is 400. */
const REFUSALS: Record<string, { status: ClientErrorStatus; code: string; detail: string }> = {
  HPE_HEADER_OVERFLOW: { status: 431, code: 'headers-too-large', detail: 'The headers are too large.' },
  HPE_CHUNK_EXTENSIONS_OVERFLOW: {
    status: 413,
    code: 'body-too-large',
    detail: 'The chunk extensions are too large.',
  },
  ERR_HTTP_REQUEST_TIMEOUT: {
    status: 408,
    code: 'request-timeout',
    detail: 'The request did not arrive in time.',
  },
};

function problemOf({ code = '' }: { code?: string }): ClientError {
  const refusal = REFUSALS[code] ?? {
    status: 400,
    code: 'malformed-request',
    detail: 'This is not well-formed HTTP.',
  };
  return new ClientError(refusal);
}

function answerOf(problem: ClientError): { head: Record<string, string>; body: string } {
  const requestId = newId();
  const { contentType, body } = writtenProblem(problem, requestId, '/');
  const head = {
    'Content-Type': contentType,
    'Content-Length': String(Buffer.byteLength(body)),
    'Cache-Control': 'no-store',
    'X-Request-Id': requestId,
    Connection: 'close',
    ...problem.headers,
  };
  return { head, body };
}
