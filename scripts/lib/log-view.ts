import { createWriteStream, existsSync, mkdirSync, renameSync } from 'node:fs';
import type { WriteStream } from 'node:fs';
import { dirname } from 'node:path';
import type { LogRecord } from '../../local/processes.ts';
import { styled } from './terminal.ts';

/** A log file of this run; the one of the run before is kept beside it as `.1`. */
export function openLog(path: string): WriteStream {
  mkdirSync(dirname(path), { recursive: true });
  if (existsSync(path)) renameSync(path, `${path}.1`);
  return createWriteStream(path);
}

const shownElsewhere = new Set([
  'level',
  'time',
  'message',
  'process',
  'pid',
  'hostname',
  'err',
  'context',
  'userId',
]);
const quiet = new Set(['trace', 'debug']);

/** One line for people of a JSON log record, or `undefined` when it is of no interest on a terminal. */
export function readable(source: string, record: LogRecord): string | undefined {
  const level = record.level ?? 'info';
  if (quiet.has(level)) return undefined;
  const time = record.time ? new Date(record.time).toTimeString().slice(0, 8) : '        ';
  return `${styled('dim', time)} ${styled('cyan', source.padEnd(6))} ${levelled(level)}${sentence(record)}`;
}

function levelled(level: string): string {
  if (level === 'warn') return `${styled('yellow', 'warn')} `;
  return level === 'error' || level === 'fatal' ? `${styled('red', level)} ` : '';
}

/** The message with the reason of the error that was logged with it. */
export function withReason(record: LogRecord): string {
  return `${record.message ?? ''}${reasonOf(record)}`;
}

function reasonOf(record: LogRecord): string {
  const error = record.err as { message?: string } | undefined;
  return error?.message && !record.message?.includes(error.message) ? `: ${error.message}` : '';
}

function sentence(record: LogRecord): string {
  const reason = reasonOf(record);
  if (record.message === 'request') return request(record) + reason;
  const details = Object.entries(record)
    .filter(([name, value]) => !shownElsewhere.has(name) && typeof value !== 'object' && value !== undefined)
    .map(([name, value]) => `${name}=${String(value)}`);
  return `${record.message ?? ''}${reason} ${styled('dim', details.join(' '))}`.trimEnd();
}

function request({ method, route, path, status, durationMs, code, requestId }: LogRecord): string {
  const took = typeof durationMs === 'number' ? `${durationMs.toFixed(1)} ms` : '';
  const words = [method, path ?? route, status, took, code].filter(
    (word) => word !== undefined && word !== '',
  );
  return `${words.map(String).join(' ')} ${styled('dim', String(requestId ?? ''))}`.trimEnd();
}
