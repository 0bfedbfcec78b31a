import type { Redis } from 'ioredis';

/**
 * One counter per caller and quota in Redis: requests of the current window that are spent or leased. It is born with the first
 * lease and dies with its window, so that all processes share the window without agreeing about the clock.
 */
const SCRIPTS = {
  // KEYS: one counter for each window. ARGV, six for each: 1 limit, 2 wanted, 3 needed at once, 4 spent without a lease,
  // 5 all that this process has of the window, 6 what this process thinks is left of the window in ms.
  // Answers three for each: leased, left for others, ms left of the window.
  rateLimitLease: `
    local answers = {}
    for i, key in ipairs(KEYS) do
      local at = (i - 1) * 6
      local limit, used, left = tonumber(ARGV[at + 1]), redis.call('GET', key), redis.call('PTTL', key)
      if used and left > 0 then
        used = tonumber(used) + tonumber(ARGV[at + 4])
      else
        used, left = tonumber(ARGV[at + 5]), tonumber(ARGV[at + 6])
      end
      local free = math.max(0, limit - used)
      -- Ever smaller leases near the end leave ever less of them unused in a process that the caller no longer asks.
      local wanted = math.max(tonumber(ARGV[at + 3]), math.min(tonumber(ARGV[at + 2]), math.ceil(free / 4)))
      local leased = math.min(free, wanted)
      redis.call('SET', key, string.format('%.0f', used + leased), 'PX', left)
      answers[i * 3 - 2], answers[i * 3 - 1], answers[i * 3] = leased, free - leased, left
    end
    return answers`,
  // KEYS: counters. ARGV: how much of each one's lease comes back unused.
  rateLimitGiveBack: `
    for i, key in ipairs(KEYS) do
      if redis.call('EXISTS', key) == 1 then redis.call('DECRBY', key, ARGV[i]) end
    end`,
};

/** A client that knows the scripts. Keys come first, then the arguments of all of them in the same order. */
export type LeaseCommands = Redis & {
  rateLimitLease(keys: number, ...keysAndArguments: (string | number)[]): Promise<number[]>;
  rateLimitGiveBack(keys: number, ...keysAndArguments: (string | number)[]): Promise<null>;
};

/** Teaches a client the commands; each is one atomic script. */
export function defineLeaseCommands(client: Redis): void {
  for (const [name, lua] of Object.entries(SCRIPTS)) client.defineCommand(name, { lua });
}
