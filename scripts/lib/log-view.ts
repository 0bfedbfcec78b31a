import { createWriteStream, existsSync, mkdirSync, renameSync } from 'node:fs';
import type { WriteStream } from 'node:fs';
import { dirname } from 'node:path';
import { prettyFactory } from 'pino-pretty';
import type { LogRecord } from '../../local/processes.ts';
import { styled } from './terminal.ts';

/** A log file of this run; the one of the run before is kept beside it as `.1`. */
export function openLog(path: string): WriteStream {
  mkdirSync(dirname(path), { recursive: true });
  if (existsSync(path)) renameSync(path, `${path}.1`);
  return createWriteStream(path);
}

/** What the line of a request is made of; the rest of a record stands behind its message. */
const ofRequest = ['method', 'route', 'path', 'status', 'durationMs'];

const pretty = prettyFactory({
  colorize: styled('red', '') !== '',
  messageKey: 'message',
  messageFormat: (record) =>
    record.message === 'request' ? request(record as LogRecord) : String(record.message),
  translateTime: 'SYS:HH:MM:ss',
  ignore: ['process', 'pid', 'hostname', 'context', 'userId', ...ofRequest].join(),
  singleLine: true,
});

/** A JSON log record for people, or `undefined` when it is of no interest on a terminal. */
export function readable(source: string, record: LogRecord): string | undefined {
  if (record.level === 'debug' || record.level === 'trace') return undefined;
  return `${styled('cyan', source.padEnd(6))} ${pretty(record).trimEnd()}`;
}

function request({ method, route, path, status, durationMs }: LogRecord): string {
  return `${String(method)} ${String(path ?? route)} ${String(status)} ${Number(durationMs).toFixed(1)} ms`;
}

/** The message with the reason of the error that was logged with it. */
export function withReason({ message = '', err }: LogRecord): string {
  const reason = (err as { message?: string } | undefined)?.message;
  return reason && !message.includes(reason) ? `${message}: ${reason}` : message;
}
