import type { Type } from '@nestjs/common';
import { Redis } from 'ioredis';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { TransientError } from '../../src/platform/errors/index.js';
import {
  EventConsumer,
  EventProcessor,
  Handles,
  Scheduled,
  type DeliveredEvent,
} from '../../src/platform/messaging/index.js';
import { MessagingMetrics } from '../../src/platform/messaging/messaging.metrics.js';
import { Queues } from '../../src/platform/messaging/queues/queues.js';
import { waitFor } from '../../local/wait-for.js';
import {
  openMessagingRoom,
  parcelSent,
  type MessagingProcess,
  type MessagingRoom,
  type Parcel,
} from './messaging-room.js';

const DAY_MS = 86_400_000;
/** Seconds in which a worker starts and ends on any machine: a pattern must still lie ahead then. */
const ENOUGH_TO_START = 10;

let runs: Record<string, number> = {};
let handled: number[] = [];
let failures = 0;
let failing = false;

const ran = (name: string): Promise<void> => {
  runs[name] = (runs[name] ?? 0) + 1;
  return Promise.resolve();
};

@EventProcessor('post')
class PostProcessor extends EventConsumer {
  @Handles(parcelSent)
  async onParcelSent({ payload }: DeliveredEvent<Parcel>): Promise<void> {
    if (failing) {
      failures += 1;
      throw new TransientError({ code: 'not-now', detail: 'Later.' });
    }
    handled.push(payload.number);
  }
}

class Chores {
  @Scheduled({ name: 'sweep-attic', every: 200 })
  sweep(): Promise<void> {
    return ran('attic');
  }
}

class RareChores {
  @Scheduled({ name: 'sweep-roof', every: 3_600_000 })
  sweep(): Promise<void> {
    return ran('roof');
  }
}

class NightlyChores {
  @Scheduled({ name: 'sweep-hall', pattern: '30 2 * * *', timeZone: 'Europe/Berlin' })
  sweep(): Promise<void> {
    return ran('hall');
  }
}

class ChoresOfAnotherVersion {
  @Scheduled({ name: 'sweep-cellar', every: 300 })
  sweep(): Promise<void> {
    return ran('cellar');
  }
}

/** A cron pattern that matches once a day, so many seconds from now, and its date. */
const inSeconds = (seconds: number): { pattern: string; due: number } => {
  const at = new Date(Math.ceil(Date.now() / 1000) * 1000 + seconds * 1000);
  return {
    pattern: `${at.getUTCSeconds()} ${at.getUTCMinutes()} ${at.getUTCHours()} * * *`,
    due: at.getTime(),
  };
};

/** Clocks of everything in this process are wrong by so much until the test ends or sets them right. */
const shiftClock = (ms: number): void => {
  const right = Date.now.bind(Date);
  vi.spyOn(Date, 'now').mockImplementation(() => right() + ms);
};

describe('schedules', () => {
  let room: MessagingRoom;

  beforeEach(async () => {
    runs = {};
    handled = [];
    failures = 0;
    failing = false;
    room = await openMessagingRoom();
  });

  afterEach(async () => {
    vi.restoreAllMocks();
    await room.close();
  });

  const worker = (...chores: Type[]): Promise<MessagingProcess> =>
    room.process({ providers: [PostProcessor, ...chores] });

  const runsAgain = async (name: string): Promise<void> => {
    const before = runs[name] ?? 0;
    await waitFor(() => (runs[name] ?? 0) > before + 1, { within: 45_000, what: `${name} running on` });
  };

  describe('and a worker with a wrong clock', () => {
    it.each([
      ['8 days ahead', 8 * DAY_MS],
      ['8 days behind', -8 * DAY_MS],
    ])('continue after it has run them: %s', async (_what, wrongBy) => {
      shiftClock(wrongBy);
      const wrong = await worker(Chores);
      await runsAgain('attic');
      await wrong.close();
      vi.restoreAllMocks();

      await worker(Chores);

      await runsAgain('attic');
    });

    it('continue in workers that were running all the time', async () => {
      const right = await worker(Chores);
      await runsAgain('attic');
      const queue = right.app.get(Queues).get('maintenance');
      await queue.removeJobScheduler('sweep-attic');
      shiftClock(8 * DAY_MS);
      await queue.upsertJobScheduler('sweep-attic', { every: 200 }, { name: 'sweep-attic' });
      await waitFor(
        async () => ((await queue.getJobScheduler('sweep-attic'))?.next ?? 0) > Date.now() - 1000,
      );
      vi.restoreAllMocks();

      await runsAgain('attic');
    });

    it('continue in a single worker whose clock is behind', async () => {
      const right = await worker(Chores);
      await runsAgain('attic');
      await right.close();
      shiftClock(-8 * DAY_MS);

      await worker(Chores);

      await runsAgain('attic');
    });

    it('delays no events: the other workers handle them', async () => {
      failing = true;
      shiftClock(8 * DAY_MS);
      const wrong = await worker();
      await wrong.send(1, 3);
      await waitFor(() => failures > 5, { what: 'the failures' });
      await wrong.close();
      vi.restoreAllMocks();
      failing = false;

      await worker();

      await waitFor(() => new Set(handled).size === 3, { within: 45_000, what: 'the events' });
    });
  });

  describe('with cron patterns', () => {
    const nextRun = async ({ app }: MessagingProcess, name: string): Promise<number> => {
      const queue = app.get(Queues).get('maintenance');
      const scheduler = await waitFor(() => queue.getJobScheduler(name), { what: name });
      return scheduler.next!;
    };

    const choresAt = (pattern: string): Type => {
      class DailyChores {
        @Scheduled({ name: 'sweep-stairs', pattern })
        sweep(): Promise<void> {
          return ran('stairs');
        }
      }
      return DailyChores;
    };

    it.each([
      ['an ordinary night', '2026-07-01T12:00:00Z', '2026-07-02T00:30:00Z'],
      ['the night that skips 02:30', '2027-03-27T12:00:00Z', '2027-03-28T01:30:00Z'],
      ['the night after it', '2027-03-28T02:00:00Z', '2027-03-29T00:30:00Z'],
      ['the night that has 02:30 twice', '2026-10-24T12:00:00Z', '2026-10-25T00:30:00Z'],
      ['between the two', '2026-10-25T00:45:00Z', '2026-10-26T01:30:00Z'],
    ])('run once in %s of their time zone', async (_what, now, next) => {
      shiftClock(Date.parse(now) - Date.now());

      const process = await worker(NightlyChores);

      expect(new Date(await nextRun(process, 'sweep-hall'))).toEqual(new Date(next));
    });

    it('have a due time, until which a worker that does not know them can offer them', async () => {
      const { pattern, due } = inSeconds(600);
      const { app } = await worker(choresAt(pattern));

      const queue = app.get(Queues).get('maintenance');
      const run = await waitFor(() => queue.getJob(`repeat:sweep-stairs:${due}`), { what: 'the run' });
      expect(run.opts).toMatchObject({ prevMillis: due, repeat: { pattern, tz: 'UTC' } });
    });

    it('run at their time, and again the day after', async () => {
      const { pattern, due } = inSeconds(ENOUGH_TO_START);
      const process = await worker(choresAt(pattern));
      expect(await nextRun(process, 'sweep-stairs')).toBe(due);

      await waitFor(() => runs['stairs'], { within: 45_000, what: 'the run' });
      expect(Date.now()).toBeGreaterThanOrEqual(due);
      await waitFor(async () => (await nextRun(process, 'sweep-stairs')) === due + DAY_MS, {
        what: 'the run of the next day',
      });
      expect(runs['stairs']).toBe(1);
    });

    it('make up once for a run that was due while no worker ran', async () => {
      const { pattern, due } = inSeconds(ENOUGH_TO_START);
      const first = await worker(choresAt(pattern));
      expect(await nextRun(first, 'sweep-stairs')).toBe(due);
      await first.close();
      await waitFor(() => Date.now() > due, { what: 'the time of the run' });
      expect(runs['stairs']).toBeUndefined();

      const late = await worker(choresAt(pattern));

      await waitFor(() => runs['stairs'], { within: 45_000, what: 'the missed run' });
      await waitFor(async () => (await nextRun(late, 'sweep-stairs')) === due + DAY_MS, {
        what: 'the run of the next day',
      });
      expect(runs['stairs']).toBe(1);
    });

    it('run in a single worker whose clock is behind', async () => {
      const { pattern, due } = inSeconds(ENOUGH_TO_START);
      const first = await worker(choresAt(pattern));
      expect(await nextRun(first, 'sweep-stairs')).toBe(due);
      await first.close();
      shiftClock(-3_600_000);

      await worker(choresAt(pattern));

      await waitFor(() => runs['stairs'], { within: 60_000, what: 'the run' });
    });

    it('follow a release that changes their pattern', async () => {
      const first = await worker(choresAt('0 4 * * *'));
      await nextRun(first, 'sweep-stairs');
      await first.close();
      const { pattern, due } = inSeconds(600);

      const second = await worker(choresAt(pattern));

      await waitFor(async () => (await nextRun(second, 'sweep-stairs')) === due, { what: 'the new pattern' });
    });
  });

  describe('of two versions side by side', () => {
    it('are all kept, regardless of the order of starts', async () => {
      const [old] = [await worker(Chores), await worker(ChoresOfAnotherVersion)];
      await old.close();
      await worker(Chores);

      await runsAgain('cellar');
      await runsAgain('attic');
    });

    it('run although workers that do not know them get their jobs first', async () => {
      for (const _ of [1, 2, 3]) await worker(ChoresOfAnotherVersion);
      await runsAgain('cellar');
      await worker(RareChores);

      await waitFor(() => runs['roof'], { within: 60_000, what: 'the hourly run' });
    });

    it('are removed when a later release lists them as retired', async () => {
      const old = await worker(Chores);
      await runsAgain('attic');
      await old.close();
      const retiredSchedules = [{ name: 'sweep-attic', queue: 'maintenance' }];

      const { app } = await room.process({ providers: [PostProcessor], retiredSchedules });

      const queue = app.get(Queues).get('maintenance');
      await waitFor(async () => (await queue.getJobScheduler('sweep-attic')) === undefined, {});
    });

    it('report how long ago they ran, in any worker', async () => {
      const other = await worker(RareChores);
      await waitFor(() => runs['roof'], { what: 'the hourly run' });
      await other.close();
      const redis = new Redis(room.redis.url());
      const anHourAgo = Number((await redis.time())[0]) * 1000 - 3_600_000;
      await redis.hset('{holdfast}:schedule-runs', 'sweep-roof', anHourAgo);
      redis.disconnect();

      const { app } = await worker(RareChores);

      const { scheduleAge } = app.get(MessagingMetrics);
      const age = async (): Promise<number> =>
        (await scheduleAge.get()).values.find(({ labels }) => labels['name'] === 'sweep-roof')?.value ?? 0;
      await waitFor(async () => (await age()) > 3600, { what: 'the age in the metrics' });
      expect(await age()).toBeLessThan(3700);
    });

    it('are recreated when something has removed them', async () => {
      const { app } = await worker(Chores);
      await runsAgain('attic');

      await app.get(Queues).get('maintenance').removeJobScheduler('sweep-attic');

      await runsAgain('attic');
    });
  });
});
