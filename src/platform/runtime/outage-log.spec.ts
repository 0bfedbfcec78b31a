import { describe, expect, it, vi } from 'vitest';
import { OutageLog, type OutageOptions } from './outage-log.js';

const begins = 'The depot is unavailable';
const ends = 'The depot is available again';

function outage(options: Partial<OutageOptions> = {}) {
  const lines: string[] = [];
  const log = new OutageLog(
    {
      warn: (details, message) => lines.push(`${message} ${Object.keys(details).join()}`),
      log: (message) => lines.push(message),
    },
    { begins, ends, ...options },
  );
  return { lines, log };
}

describe('an outage', () => {
  it('is reported once when it begins and once when it ends, each time', () => {
    const { lines, log } = outage();
    log.recovered();
    for (let time = 0; time < 2; time += 1) {
      for (let call = 0; call < 3; call += 1) log.failed(new Error('connect ECONNREFUSED'));
      for (let call = 0; call < 3; call += 1) log.recovered();
    }
    expect(lines).toEqual([`${begins} err`, ends, `${begins} err`, ends]);
  });

  it('is reported once more for each known kind of failure', () => {
    const { lines, log } = outage();
    const known = { message: 'The depot rejects our password', details: { depot: 'a' } };
    for (let call = 0; call < 2; call += 1) {
      log.failed(new Error('reset'));
      log.failed(new Error('WRONGPASS'), known);
    }
    expect(lines).toEqual([`${begins} err`, `${known.message} depot,err`]);
  });

  it('that begins with a known failure is not reported again as the usual one', () => {
    const { lines, log } = outage();
    log.failed(new Error('WRONGPASS'), { message: 'The depot rejects our password' });
    log.failed(new Error('reset'));
    expect(lines).toHaveLength(1);
  });

  it('is over after a while without failures, when successes are not reported', () => {
    vi.useFakeTimers();
    const { lines, log } = outage({ ends: undefined, endsAfterMs: 30 });
    log.failed(new Error('1'));
    log.failed(new Error('2'));
    vi.advanceTimersByTime(31);
    log.failed(new Error('3'));
    vi.useRealTimers();
    expect(lines).toEqual([`${begins} err`, `${begins} err`]);
  });
});
