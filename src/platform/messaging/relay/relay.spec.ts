import { setTimeout as delay } from 'node:timers/promises';
import { Logger } from '@nestjs/common';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { loadSettings } from '../../../config/index.js';
import { TransientError } from '../../errors/index.js';
import type { ClaimedEvent } from '../queues/queues.js';
import { Relay } from './relay.js';

/** PostgreSQL and Redis as the relay sees them, each step scripted. */
class World {
  waiting: string[] = [];
  queued: string[] = [];
  handedBack: string[] = [];
  claims = 0;
  readonly claimed: { limit: number; at: number }[] = [];
  refuse: (ids: string[]) => Error | undefined = () => undefined;
  ping = (): Promise<void> => Promise.resolve();
  upkeep = (): Promise<void> => Promise.resolve();
  redeliver = (): Promise<{ due: number; more: boolean }> => Promise.resolve({ due: 0, more: false });
  readonly cursors: number[] = [];
  readonly throttle = { isOn: false };

  readonly relay = new Relay(
    {
      claim: async (after: number, limit: number) => {
        this.claims += 1;
        this.cursors.push(after);
        this.claimed.push({ limit, at: performance.now() });
        return this.waiting
          .splice(0, limit)
          .map((id, i) => ({ id, position: Number(id) || i, name: 'parcel.sent' }));
      },
      handBack: async (events: ClaimedEvent[]) => {
        const ids = events.map(({ id }) => id);
        this.handedBack.push(...ids);
        this.waiting.unshift(...ids);
      },
    } as never,
    {
      add: async (events: ClaimedEvent[]) => {
        const ids = events.map(({ id }) => id);
        const error = this.refuse(ids);
        if (error) throw error;
        this.queued.push(...ids);
      },
    } as never,
    { ping: () => this.ping() } as never,
    { run: () => this.upkeep() } as never,
    { run: () => this.redeliver() } as never,
    this.throttle as never,
    { relayed: { inc: () => undefined }, label: (name: string) => name } as never,
    loadSettings({ OUTBOX_POLL_INTERVAL_MS: '5', OUTBOX_BATCH_SIZE: '3' }),
  );
}

const refusal = (): Error => Object.assign(new Error('ERR value is not valid'), { name: 'ReplyError' });
const lost = (): Error => Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' });

describe('the relay', () => {
  let world: World;

  beforeEach(() => {
    for (const level of ['log', 'warn', 'error'] as const)
      vi.spyOn(Logger.prototype, level).mockReturnValue();
    world = new World();
  });

  afterEach(() => world.relay.stop());

  it('moves batches in order until nothing waits, and then polls', async () => {
    world.waiting = ['1', '2', '3', '4', '5', '6', '7'];
    world.relay.start();
    await vi.waitFor(() => expect(world.queued).toEqual(['1', '2', '3', '4', '5', '6', '7']), {
      timeout: 20_000,
    });
    world.waiting = ['8'];
    await vi.waitFor(() => expect(world.queued).toContain('8'), { timeout: 20_000 });
  });

  it('leaves most in the outbox while background work is slowed down', async () => {
    world.throttle.isOn = true;
    world.waiting = ['1', '2', '3', '4', '5', '6', '7'];
    world.relay.start();
    await vi.waitFor(() => expect(world.queued.slice(0, 2)).toEqual(['1', '2']), { timeout: 20_000 });
    const [first, second] = world.claimed;
    expect([first!.limit, second!.limit]).toEqual([1, 1]);
    // Half a second is meant; a loop that was late when it set the timer counts from earlier.
    expect(second!.at - first!.at).toBeGreaterThan(250);
  });

  it('claims nothing more once it has been stopped', async () => {
    world.relay.start();
    await vi.waitFor(() => expect(world.claims).toBeGreaterThan(1), { timeout: 20_000 });
    await world.relay.stop();
    const { claims } = world;
    await delay(30);
    expect(world.claims).toBe(claims);
  });

  it('returns what could not be added, reports it once, and moves it when Redis is back', async () => {
    world.waiting = ['1', '2'];
    world.refuse = lost;
    world.relay.start();
    await vi.waitFor(() => expect(world.relay.problem).toContain('ECONNREFUSED'), { timeout: 20_000 });
    expect(world.handedBack.slice(0, 2)).toEqual(['1', '2']);

    const searchedFrom: number[] = [];
    world.refuse = () => {
      searchedFrom.push(world.cursors.at(-1)!);
      return undefined;
    };
    await vi.waitFor(() => expect(world.queued).toEqual(['1', '2']), { timeout: 20_000 });
    await vi.waitFor(() => expect(world.relay.problem).toBeUndefined(), { timeout: 20_000 });
    expect(vi.mocked(Logger.prototype.warn)).toHaveBeenCalledOnce();
    // Released events have lower positions than claimed ones: the next search starts from the beginning.
    expect(searchedFrom).toEqual([0]);
  });

  it('claims nothing while Redis does not answer', async () => {
    world.upkeep = () => Promise.reject(lost());
    world.ping = () => Promise.reject(lost());
    world.waiting = ['1'];
    world.relay.start();
    await vi.waitFor(() => expect(world.relay.problem).toBeDefined(), { timeout: 20_000 });
    expect(world.claims).toBe(0);
  });

  it('does not let one event that Redis rejects delay others', async () => {
    world.waiting = ['1', '2', '3', '4'];
    world.refuse = (ids) => (ids.includes('2') ? refusal() : undefined);
    world.relay.start();
    await vi.waitFor(() => expect(world.queued).toEqual(['1', '3', '4']), { timeout: 20_000 });
    expect(world.handedBack).toEqual([]);
    expect(vi.mocked(Logger.prototype.error)).toHaveBeenCalledOnce();
  });

  it('treats it as an outage when Redis rejects all of them', async () => {
    world.waiting = ['1', '2'];
    world.refuse = refusal;
    world.relay.start();
    await vi.waitFor(() => expect(world.relay.problem).toContain('not valid'), { timeout: 20_000 });
    expect(world.handedBack.slice(0, 2)).toEqual(['1', '2']);
  });

  it('continues to move new events when redelivery fails', async () => {
    world.redeliver = () => Promise.reject(new TypeError('bug'));
    world.waiting = ['1'];
    world.relay.start();
    await vi.waitFor(() => expect(world.queued).toEqual(['1']), { timeout: 20_000 });
    expect(vi.mocked(Logger.prototype.error)).toHaveBeenCalled();

    world.redeliver = () => Promise.reject(new TransientError({ code: 'away', detail: 'Away.' }));
    world.waiting = ['2'];
    await vi.waitFor(() => expect(world.queued).toEqual(['1', '2']), { timeout: 20_000 });
    expect(world.relay.problem).toBeUndefined();
  });
});
