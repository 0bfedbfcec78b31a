import { stripVTControlCharacters } from 'node:util';
import { describe, expect, it } from 'vitest';
import { readable } from './log-view.ts';

const time = new Date(2026, 10, 20, 12, 30, 5).toISOString();

function shown(record: Parameters<typeof readable>[1]): string | undefined {
  const text = readable('api', { level: 'info', time, pid: 1, process: 'api', ...record });
  return text && stripVTControlCharacters(text);
}

describe('a log record on the terminal of the local stack', () => {
  it('has its process, time, level, message and other members', () => {
    expect(shown({ level: 'warn', message: 'Jobs are still running', activeJobs: 3 })).toBe(
      'api    [12:30:05] WARN: Jobs are still running {"activeJobs":3}',
    );
  });

  it('of a request is one line', () => {
    const request = { method: 'GET', route: '/v1/users/:id', status: 200, durationMs: 1.234 };
    expect(shown({ message: 'request', ...request, requestId: 'r1' })).toBe(
      'api    [12:30:05] INFO: GET /v1/users/:id 200 1.2 ms {"requestId":"r1"}',
    );
  });

  it('of an error has its stack', () => {
    const err = { type: 'Error', message: 'refused', stack: 'Error: refused\n    at somewhere' };
    expect(shown({ level: 'error', message: 'It failed', err })).toContain('at somewhere');
  });

  it('of level debug is in the file only', () => {
    expect(shown({ level: 'debug', message: 'details' })).toBeUndefined();
  });

  it('that is plain text is shown as it is', () => {
    expect(readable('api', { message: 'plain text' })).toContain('plain text');
  });
});
