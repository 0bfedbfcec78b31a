import { describe, expect, it } from 'vitest';
import { loadSettings } from '../../../config/index.js';
import { newId } from '../../context/index.js';
import type { OutboxRepository } from './outbox.repository.js';
import { lowestIdOf, OutboxSweep } from './outbox-sweep.js';

describe('the deletion of handled events', () => {
  it('goes through batches, each from the end of the last one, until one is not full', async () => {
    const ids = Array.from({ length: 2300 }, () => newId()).toSorted();
    const calls: string[] = [];
    const repository = {
      now: async () => new Date(),
      sweep: async (from: string, _before: unknown, limit: number) => {
        calls.push(from);
        return ids
          .filter((id) => id > from)
          .slice(0, limit)
          .toReversed();
      },
    } as unknown as OutboxRepository;

    await new OutboxSweep(repository, loadSettings({})).sweep();

    expect(calls).toEqual(['00000000-0000-0000-0000-000000000000', ids[999], ids[1999]]);
  });

  it('keeps what is younger than OUTBOX_RETENTION_HOURS, by the clock of PostgreSQL', async () => {
    let time: Date | undefined;
    const repository = {
      now: async () => new Date('2026-11-21T12:00:00Z'),
      sweep: async (_from: string, before: { time: Date }) => {
        ({ time } = before);
        return [];
      },
    } as unknown as OutboxRepository;
    await new OutboxSweep(repository, loadSettings({ OUTBOX_RETENTION_HOURS: '2' })).sweep();
    expect(time).toEqual(new Date('2026-11-21T10:00:00Z'));
  });
});

describe('the lowest id of a moment', () => {
  it('is below every later id and above every earlier one', () => {
    const before = newId();
    const hex = before.replaceAll('-', '').slice(0, 12);
    const moment = Number.parseInt(hex, 16);
    expect(lowestIdOf(new Date(moment)) <= before).toBe(true);
    expect(lowestIdOf(new Date(moment + 1)) > before).toBe(true);
    expect(lowestIdOf(new Date(moment))).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7000-8000-000000000000$/);
  });
});
