import type { Redis } from 'ioredis';

/**
 * One counter per caller and quota in Redis: requests of the current window that are spent or leased. It is born with the first
 * lease and dies with its window, so that all processes share the window without agreeing about the clock.
 */
const SCRIPTS = {
  // ARGV: 1 limit, 2 wanted, 3 needed at once, 4 spent without a lease, 5 all that this process has of the window,
  // 6 what this process thinks is left of the window in ms. Answers: leased, left for others, ms left of the window.
  rateLimitLease: `
    local limit, used, left = tonumber(ARGV[1]), redis.call('GET', KEYS[1]), redis.call('PTTL', KEYS[1])
    if used and left > 0 then
      used = tonumber(used) + tonumber(ARGV[4])
    else
      used, left = tonumber(ARGV[5]), tonumber(ARGV[6])
    end
    local free = math.max(0, limit - used)
    -- Ever smaller leases near the end leave ever less of them unused in a process that the caller no longer asks.
    local wanted = math.max(tonumber(ARGV[3]), math.min(tonumber(ARGV[2]), math.ceil(free / 4)))
    local leased = math.min(free, wanted)
    redis.call('SET', KEYS[1], string.format('%.0f', used + leased), 'PX', left)
    return {leased, free - leased, left}`,
  // ARGV: 1 how much of a lease comes back unused.
  rateLimitGiveBack: `
    if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
    return redis.call('DECRBY', KEYS[1], ARGV[1])`,
};

export type LeaseCommands = Redis & {
  rateLimitLease(
    key: string,
    limit: number,
    wanted: number,
    needed: number,
    unleased: number,
    ownTotal: number,
    leftMs: number,
  ): Promise<[leased: number, free: number, leftMs: number]>;
  rateLimitGiveBack(key: string, amount: number): Promise<number>;
};

/** Teaches a client the commands; each is one atomic script. */
export function defineLeaseCommands(client: Redis): void {
  for (const [name, lua] of Object.entries(SCRIPTS)) client.defineCommand(name, { numberOfKeys: 1, lua });
}
