/** An answer as it was received. */
export interface Answer {
  status: number;
  /** Status line and headers, in lower case. */
  head: string;
  body: Buffer;
}

const END_OF_HEAD = Buffer.from('\r\n\r\n');
const END_OF_LINE = Buffer.from('\r\n');

/**
 * Assembles the answers of one keep-alive connection from the pieces in which they arrive. Supports what current servers send: a
 * length, chunks, or neither for answers without a body.
 */
export class ResponseReader {
  private pending: Buffer | undefined;

  /**
   * @returns the answer that is now complete, if any.
   * @throws Error when these bytes are not an HTTP/1.1 answer.
   */
  push(chunk: Buffer): Answer | undefined {
    const data = this.pending ? Buffer.concat([this.pending, chunk]) : chunk;
    const headEnd = data.indexOf(END_OF_HEAD);
    if (headEnd === -1) {
      this.pending = data;
      return undefined;
    }
    const head = data.toString('latin1', 0, headEnd).toLowerCase();
    const status = Number(head.slice(9, 12));
    if (!head.startsWith('http/1.1 ') || !(status >= 100 && status <= 599)) {
      throw new Error(`not an HTTP/1.1 answer: ${head.slice(0, 60)}`);
    }
    const start = headEnd + END_OF_HEAD.length;
    const body = status === 204 || status === 304 ? empty(start) : bodyOf(data, start, head);
    if (!body) {
      this.pending = data;
      return undefined;
    }
    const rest = data.length > body.end ? data.subarray(body.end) : undefined;
    this.pending = undefined;
    // An interim answer (1xx) announces the real one.
    if (status < 200) return rest ? this.push(rest) : undefined;
    if (rest) throw new Error('more bytes than one answer');
    return { status, head, body: body.content };
  }

  /** Whether an answer has begun to arrive. */
  get hasBegun(): boolean {
    return this.pending !== undefined;
  }

  reset(): void {
    this.pending = undefined;
  }
}

/** The value of a header, or undefined. @param head as in `Answer`; @param name in lower case */
export function headerOf(head: string, name: string): string | undefined {
  const at = head.indexOf(`\r\n${name}:`);
  if (at === -1) return undefined;
  const from = at + name.length + 3;
  const end = head.indexOf('\r\n', from);
  return head.slice(from, end === -1 ? undefined : end).trim();
}

interface Body {
  content: Buffer;
  end: number;
}

function empty(at: number): Body {
  return { content: Buffer.alloc(0), end: at };
}

function bodyOf(data: Buffer, start: number, head: string): Body | undefined {
  const length = headerOf(head, 'content-length');
  if (length !== undefined) {
    const end = start + Number(length);
    return data.length >= end ? { content: data.subarray(start, end), end } : undefined;
  }
  if (headerOf(head, 'transfer-encoding') === 'chunked') return chunkedBody(data, start);
  throw new Error('an answer without a length');
}

function chunkedBody(data: Buffer, start: number): Body | undefined {
  const parts: Buffer[] = [];
  let at = start;
  for (;;) {
    const lineEnd = data.indexOf(END_OF_LINE, at);
    if (lineEnd === -1) return undefined;
    const size = Number.parseInt(data.toString('latin1', at, lineEnd), 16);
    if (Number.isNaN(size)) throw new Error('a chunk without a size');
    const from = lineEnd + 2;
    const next = from + size + 2;
    if (data.length < next) return undefined;
    if (size === 0) return { content: Buffer.concat(parts), end: next };
    parts.push(data.subarray(from, from + size));
    at = next;
  }
}
