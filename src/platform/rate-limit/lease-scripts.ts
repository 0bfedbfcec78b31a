import type { Redis } from 'ioredis';

/**
 * One counter per caller and quota in Redis: requests of the current window that are spent or leased. It is created with the
 * first lease and expires with its window, so all processes share the window although their clocks may differ.
 */
const SCRIPTS = {
  // KEYS: the epoch, then one counter for each window. ARGV: a new epoch, then seven for each: 1 limit, 2 wanted, 3 needed at once,
  // 4 spent without a lease, 5 all that this process has of the window, 6 ms left of the window as it believes, 7 the epoch in
  // which it got what it has. If that is not the current epoch, Redis has lost its data, and counts all of that again.
  // Answers the epoch, then three for each: leased, left for others, ms left of the window.
  rateLimitLease: `
    local epoch = redis.call('GET', KEYS[1])
    if not epoch then
      epoch = ARGV[1]
      redis.call('SET', KEYS[1], epoch)
    end
    local answers = { epoch }
    for i = 1, #KEYS - 1 do
      local key, at = KEYS[i + 1], (i - 1) * 7 + 1
      local limit, used, left = tonumber(ARGV[at + 1]), redis.call('GET', key), redis.call('PTTL', key)
      if used and left > 0 then
        used = tonumber(used) + tonumber(ARGV[at + 7] == epoch and ARGV[at + 4] or ARGV[at + 5])
      else
        used, left = tonumber(ARGV[at + 5]), tonumber(ARGV[at + 6])
      end
      local free = math.max(0, limit - used)
      -- Ever smaller leases near the end leave ever less of them unused in a process that the caller no longer asks.
      local wanted = math.max(tonumber(ARGV[at + 3]), math.min(tonumber(ARGV[at + 2]), math.ceil(free / 4)))
      local leased = math.min(free, wanted)
      redis.call('SET', key, string.format('%.0f', used + leased), 'PX', left)
      answers[i * 3 - 1], answers[i * 3], answers[i * 3 + 1] = leased, free - leased, left
    end
    return answers`,
  // KEYS: the epoch, then counters. ARGV: the epoch of the leases, then how much of each one comes back unused.
  rateLimitGiveBack: `
    if redis.call('GET', KEYS[1]) ~= ARGV[1] then return end
    for i = 2, #KEYS do
      if redis.call('EXISTS', KEYS[i]) == 1 then redis.call('DECRBY', KEYS[i], ARGV[i]) end
    end`,
};

/** A client with the scripts as commands. Keys come first, then the arguments of all of them in the same order. */
export type LeaseCommands = Redis & {
  rateLimitLease(
    keys: number,
    ...keysAndArguments: (string | number)[]
  ): Promise<[epoch: string, ...granted: number[]]>;
  rateLimitGiveBack(keys: number, ...keysAndArguments: (string | number)[]): Promise<null>;
};

/** Adds the commands to a client; each is one atomic script. */
export function defineLeaseCommands(client: Redis): void {
  for (const [name, lua] of Object.entries(SCRIPTS)) client.defineCommand(name, { lua });
}
