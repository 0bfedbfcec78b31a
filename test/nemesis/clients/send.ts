import { request, type Agent, type IncomingHttpHeaders } from 'node:http';

export interface Ask {
  method: 'GET' | 'POST' | 'PATCH' | 'PUT' | 'DELETE';
  path: string;
  headers?: Record<string, string>;
  /** Sent as JSON. */
  body?: unknown;
  /** Bearer token. */
  token?: string;
  /** Milliseconds after which the client gives up and closes the connection. */
  patienceMs: number;
  /** Closes the connection so long after the request was sent, answer or not. */
  hangUpAfterMs?: number;
}

/** An answer that arrived completely. */
export interface Answer {
  status: number;
  headers: IncomingHttpHeaders;
  text: string;
}

/** Sends one request. @throws the reason why there was no complete answer: its `message` is short, such as `ECONNRESET` */
export function send(base: string, agent: Agent, ask: Ask): Promise<Answer> {
  const { method, path, headers = {}, body, token, patienceMs, hangUpAfterMs } = ask;
  const content = body === undefined ? undefined : JSON.stringify(body);
  return new Promise((resolve, reject) => {
    const timers: NodeJS.Timeout[] = [];
    const end = (act: () => void): void => {
      for (const timer of timers) clearTimeout(timer);
      act();
    };
    const asked = request(new URL(path, base), {
      method,
      agent,
      headers: {
        ...(content !== undefined && {
          'Content-Type': 'application/json',
          'Content-Length': String(Buffer.byteLength(content)),
        }),
        ...(token !== undefined && { Authorization: `Bearer ${token}` }),
        ...headers,
      },
    });
    const broken = (error: NodeJS.ErrnoException): void =>
      end(() => reject(new Error(error.code ?? error.message)));
    asked.on('error', broken);
    asked.once('response', (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.once('error', broken);
      response.once('end', () =>
        end(() => {
          const { statusCode = 0, headers: answered, complete } = response;
          if (!complete) reject(new Error('incomplete answer'));
          else
            resolve({ status: statusCode, headers: answered, text: Buffer.concat(chunks).toString('utf8') });
        }),
      );
    });
    timers.push(setTimeout(() => asked.destroy(new Error('gave up')), patienceMs));
    asked.end(content, () => {
      if (hangUpAfterMs !== undefined)
        timers.push(setTimeout(() => asked.destroy(new Error('hung up')), hangUpAfterMs));
    });
  });
}
