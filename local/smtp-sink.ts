/**
 * The mail server of the local stack and of the tests: accepts mail over real SMTP and keeps each message as a file.
 *
 *   node local/smtp-sink.ts --port 1025 --control-port 8025 --dir .local/mail
 *
 * A message whose Message-ID was kept before is accepted and counted, but not kept again, as mail stores with
 * duplicate detection (RFC 7352) do. That makes "sent once in effect" possible over SMTP: a sender that lost the answer has to
 * send again, and the Message-ID shows that it is the same mail.
 */
import { createHash, randomUUID } from 'node:crypto';
import { mkdirSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import type { AddressInfo, Socket } from 'node:net';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { SMTPServer } from 'smtp-server';
import { startJsonServer } from './json-server.ts';
import type { JsonAnswer, JsonRequest } from './json-server.ts';
import { privateDirectory } from './servers/private-directory.ts';

export const sinkMoods = ['ok', 'refuse', 'hang', 'slow', 'accept_then_drop', 'deny_relay'] as const;
export type SinkMood = (typeof sinkMoods)[number];

export interface SmtpSinkOptions {
  /** Default: any free port. */
  port?: number;
  controlPort?: number;
  host?: string;
  /** Where messages are kept. Default: a private directory that is removed with the sink. */
  directory?: string;
  /** How long the mood `slow` waits before it accepts a message. */
  slowMs?: number;
}

export interface KeptMail {
  messageId: string;
  file: string;
  to: string[];
  subject: string;
  raw: string;
}

export interface SmtpSink {
  /** For SMTP_URL. */
  url: string;
  port: number;
  controlUrl: string;
  directory: string;
  counts(): { accepted: number; kept: number; duplicates: number };
  /** Messages in the directory; those of this run in order of arrival. */
  mails(): KeptMail[];
  setMood(mood: SinkMood): void;
  reset(): void;
  stop(): Promise<void>;
}

export async function startSmtpSink(options: SmtpSinkOptions = {}): Promise<SmtpSink> {
  const host = options.host ?? '127.0.0.1';
  const temporary = options.directory ? undefined : await privateDirectory('mail');
  const directory = options.directory ?? temporary?.path ?? '';
  mkdirSync(directory, { recursive: true });
  const kept = new Set(readdirSync(directory).filter((name) => name.endsWith('.eml')));
  const counts = { accepted: 0, kept: 0, duplicates: 0 };
  const sockets = new Set<Socket>();
  let mood: SinkMood = 'ok';

  const keep = (raw: Buffer): void => {
    const name = fileNameOf(messageIdOf(raw.toString('latin1')));
    counts.accepted += 1;
    if (kept.has(name)) {
      counts.duplicates += 1;
      return;
    }
    kept.add(name);
    // Written completely or not at all: a reader of the directory never sees half a message.
    writeFileSync(join(directory, `${name}.partial`), raw);
    renameSync(join(directory, `${name}.partial`), join(directory, name));
    counts.kept += 1;
  };

  type Proceed = (error?: Error | null) => void;
  const unlessUnwilling = (proceed: Proceed): void => {
    if (mood === 'refuse') proceed(Object.assign(new Error('Service not available'), { responseCode: 421 }));
    // Without an answer the client waits until its own timeout.
    else if (mood !== 'hang') proceed();
  };
  const smtp = new SMTPServer({
    disabledCommands: ['AUTH', 'STARTTLS'],
    disableReverseLookup: true,
    closeTimeout: 100,
    logger: false,
    onConnect: (_session, proceed) => unlessUnwilling(proceed),
    onMailFrom: (_address, _session, proceed) => unlessUnwilling(proceed),
    onRcptTo: (_address, _session, proceed) => {
      const denied = Object.assign(new Error('5.7.1 Relay access denied'), { responseCode: 554 });
      proceed(mood === 'deny_relay' ? denied : null);
    },
    onData: (stream, _session, proceed) => {
      const chunks: Buffer[] = [];
      stream.on('data', (chunk: Buffer) => chunks.push(chunk));
      stream.on('end', () => {
        const accept = (): void => {
          if (mood === 'hang') return;
          keep(Buffer.concat(chunks));
          if (mood === 'accept_then_drop') for (const socket of sockets) socket.destroy();
          else proceed(null);
        };
        if (mood === 'slow') setTimeout(accept, options.slowMs ?? 2_000);
        else accept();
      });
    },
  });
  // A client that is killed leaves a reset connection, which a sink can ignore.
  smtp.on('error', () => undefined);
  smtp.server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve, reject) => {
    smtp.server.once('error', reject);
    smtp.listen(options.port ?? 0, host, () => {
      smtp.server.off('error', reject);
      resolve();
    });
  });
  const { port } = smtp.server.address() as AddressInfo;

  const mails = (): KeptMail[] => [...kept].map((name) => readMail(join(directory, name)));
  const reset = (): void => {
    for (const name of kept) rmSync(join(directory, name), { force: true });
    kept.clear();
    Object.assign(counts, { accepted: 0, kept: 0, duplicates: 0 });
    mood = 'ok';
  };
  const setMood = (next: SinkMood): void => {
    mood = next;
    // Connections that were opened before must be affected too.
    if (next === 'refuse') for (const socket of sockets) socket.destroy();
  };
  const control = await startJsonServer({ port: options.controlPort ?? 0, host }, (request) =>
    handleControl(request, {
      describe: () => ({ mood, ...counts }),
      mails: () => mails().map(({ raw, ...mail }) => ({ ...mail, bytes: raw.length })),
      setMood,
      reset,
    }),
  );
  return {
    url: `smtp://${host}:${port}`,
    port,
    controlUrl: control.url,
    directory,
    counts: () => ({ ...counts }),
    mails,
    setMood,
    reset,
    stop: async () => {
      await control.stop();
      for (const socket of sockets) socket.destroy();
      await new Promise<void>((resolve) => smtp.close(() => resolve()));
      await temporary?.remove();
    },
  };
}

function handleControl(
  request: JsonRequest,
  sink: { describe(): object; mails(): object[]; setMood(mood: SinkMood): void; reset(): void },
): JsonAnswer {
  switch (`${request.method} ${request.path}`) {
    case 'GET /':
      return { status: 200, body: sink.describe() };
    case 'GET /mails':
      return { status: 200, body: { data: sink.mails() } };
    case 'PUT /mood': {
      const { mood } = (request.body ?? {}) as { mood?: SinkMood };
      if (!mood || !sinkMoods.includes(mood)) {
        return { status: 422, body: { error: `mood must be one of ${sinkMoods.join(', ')}` } };
      }
      sink.setMood(mood);
      return { status: 204 };
    }
    case 'DELETE /':
      sink.reset();
      return { status: 204 };
    default:
      return { status: 404, body: { error: 'Unknown control' } };
  }
}

function messageIdOf(raw: string): string {
  return headerOf(raw, 'Message-ID').replace(/^<|>$/g, '') || `none-${randomUUID()}`;
}

/** A readable file name; a digest keeps names with replaced characters distinct. */
function fileNameOf(messageId: string): string {
  const readable = messageId.replace(/[^A-Za-z0-9@._-]/g, '_').slice(0, 120);
  if (readable === messageId && !readable.startsWith('.')) return `${readable}.eml`;
  const digest = createHash('sha256').update(messageId).digest('hex').slice(0, 12);
  return `${readable.replace(/^\.+/, '')}-${digest}.eml`;
}

function readMail(file: string): KeptMail {
  const raw = readFileSync(file, 'utf8');
  return {
    messageId: messageIdOf(raw),
    file,
    to: headerOf(raw, 'To')
      .split(',')
      .map((address) => (/<([^>]+)>/.exec(address)?.[1] ?? address).trim()),
    subject: headerOf(raw, 'Subject'),
    raw,
  };
}

/** The unfolded value of a header; encoded words are not decoded. */
function headerOf(raw: string, name: string): string {
  const head = raw.split(/\r?\n\r?\n/, 1)[0] ?? '';
  const unfolded = head.replace(/\r?\n[ \t]+/g, ' ');
  return new RegExp(`^${name}:[ \\t]*(.*)$`, 'im').exec(unfolded)?.[1]?.trim() ?? '';
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: {
      port: { type: 'string', default: '1025' },
      'control-port': { type: 'string', default: '8025' },
      host: { type: 'string', default: '127.0.0.1' },
      dir: { type: 'string', default: '.local/mail' },
      'slow-ms': { type: 'string', default: '2000' },
    },
  });
  const sink = await startSmtpSink({
    port: Number(values.port),
    controlPort: Number(values['control-port']),
    host: values.host,
    directory: values.dir,
    slowMs: Number(values['slow-ms']),
  });
  console.log(`SMTP sink listening on ${sink.url}; mail in ${sink.directory}; control on ${sink.controlUrl}`);
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void sink.stop());
}
