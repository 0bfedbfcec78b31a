import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { privateDirectory } from '../../local/servers/private-directory.ts';
import type { PrivateDirectory } from '../../local/servers/private-directory.ts';
import { readSchedules } from './replay.ts';
import type { Schedule } from './schedule.ts';

let folder: PrivateDirectory;

beforeAll(async () => {
  folder = await privateDirectory('replay');
});

afterAll(() => folder.remove());

function schedule(seed: number): Schedule {
  const step = { at: 100, lasts: 0, fault: 'kill', target: 'api-1', with: {} };
  return { seed, product: 'ledger', lasts: 1_000, steps: [step] };
}

function replayed(content: unknown): number[] {
  const file = join(folder.path, 'some.json');
  writeFileSync(file, typeof content === 'string' ? content : JSON.stringify(content));
  return readSchedules(file).map(({ seed }) => seed);
}

describe('a file to be replayed', () => {
  it('is a schedule, or a list of them with what they found', () => {
    expect(replayed(schedule(1))).toEqual([1]);
    expect(replayed({ found: 'a double charge', schedules: [schedule(1), schedule(2)] })).toEqual([1, 2]);
  });

  it('is a report: its broken schedules, as short as they were made', () => {
    const schedules = [
      { schedule: schedule(1), held: true },
      { schedule: schedule(2), held: false },
      { schedule: schedule(3), held: false, shrunk: { schedule: schedule(33) } },
    ];
    expect(replayed({ schedules })).toEqual([2, 33]);
    expect(replayed({ schedules: schedules.slice(0, 1) })).toEqual([1]);
  });

  it.each([
    ['no JSON', '{', 'cannot be replayed: '],
    ['no schedule', { schedules: [] }, 'it holds no schedule'],
    ['something else', null, 'it holds no schedule'],
    ['a step without a target', { ...schedule(1), steps: [{ at: 1 }] }, 'it holds no schedule'],
    ['an entry without steps', { schedules: [schedule(1), { seed: 1 }] }, 'schedule 2 needs seed, product'],
  ])('is refused with a clear message: %s', (_, content, message) => {
    expect(() => replayed(content)).toThrow(message);
  });
});
