import type { LoggerService } from '@nestjs/common';
import { Redis } from 'ioredis';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  EventConsumer,
  EventProcessor,
  Handles,
  type DeliveredEvent,
} from '../../src/platform/messaging/index.js';
import { waitFor } from '../../local/wait-for.js';
import { openMessagingRoom, parcelSent, type MessagingRoom, type Parcel } from './messaging-room.js';

let handled = new Set<number>();

@EventProcessor('post')
class PostProcessor extends EventConsumer {
  @Handles(parcelSent)
  async onParcelSent({ payload }: DeliveredEvent<Parcel>): Promise<void> {
    handled.add(payload.number);
  }
}

describe('a full Redis', () => {
  let room: MessagingRoom;
  let redis: Redis;

  beforeEach(async () => {
    handled = new Set();
    room = await openMessagingRoom();
    redis = new Redis(room.redis.url());
  });

  afterEach(async () => {
    redis.disconnect();
    await room.close();
  });

  it('is reported once by the relay and once by the workers, tried less often, and used again when it has room', async () => {
    const reporters: string[] = [];
    const note = (details: { err?: unknown }, _message: string, context: string): void => {
      if (String(details.err).includes('OOM')) reporters.push(context);
    };
    const logger: LoggerService = { log: () => undefined, warn: note, error: note };
    const worker = await room.process({ providers: [PostProcessor], logger });
    await worker.send(1, 1);
    await waitFor(() => handled.size === 1, { what: 'the first event' });

    await redis.config('SET', 'maxmemory', '1');
    await worker.send(2, 600);
    await waitFor(() => worker.runtime.status().relayProblem, { what: 'the relay noticing' });
    await redis.config('RESETSTAT');
    const asked = async (): Promise<number> =>
      Number(/total_commands_processed:(\d+)/.exec(await redis.info('stats'))?.[1]);
    await waitFor(() => reporters.length >= 2, { what: 'both reports' });
    const until = performance.now() + 5000;
    await waitFor(() => performance.now() > until);

    await waitFor(() => worker.runtime.status().relayProblem?.includes('OOM'), { what: 'the reason' });
    expect(reporters.toSorted()).toEqual(['MessagingRuntime', 'Relay']);
    // Half a thousand jobs in each of a few attempts, not each of them by itself again and again.
    expect(await asked()).toBeLessThan(10_000);

    await redis.config('SET', 'maxmemory', '0');
    await waitFor(() => handled.size === 600, { within: 60_000, what: 'all events' });
  });
});
