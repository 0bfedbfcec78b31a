import { setTimeout as delay } from 'node:timers/promises';
import { sendRedisCommand, startRedis, type RedisServer } from '../../../local/servers/redis.ts';
import { waitFor } from '../../../local/wait-for.ts';
import type { FailOver, ReplicatedRedis } from '../rig.ts';

export interface RedisPair extends ReplicatedRedis {
  stop(): Promise<void>;
}

/** @param moved called when the address shall lead elsewhere */
export async function replicateRedis(
  first: RedisServer,
  moved: (server: RedisServer, options?: { keepOpen: boolean }) => void,
): Promise<RedisPair> {
  let [primary, replica] = [first, await startRedis()];
  await follow(replica, primary);
  return {
    get primary() {
      return primary;
    },
    get replica() {
      return replica;
    },
    failOver: async ({ readOnlyMs }: FailOver) => {
      // A replica that is still being filled would refuse to serve anything.
      await reports(replica, '_status:up');
      const old = primary;
      if (readOnlyMs > 0) {
        moved(replica);
        await delay(readOnlyMs);
      }
      await old.kill();
      await command(replica, 'REPLICAOF NO ONE');
      [primary, replica] = [replica, old];
      moved(primary);
      await old.restart();
      await follow(old, primary);
    },
    handOver: async () => {
      await reports(replica, '_status:up');
      await command(primary, `FAILOVER TO 127.0.0.1 ${replica.port}`);
      await reports(replica, 'role:master');
      [primary, replica] = [replica, primary];
      moved(primary, { keepOpen: true });
    },
    stop: async () => {
      await Promise.all([primary.stop(), replica.stop()]);
    },
  };
}

async function reports(server: RedisServer, state: string): Promise<void> {
  await waitFor(async () => (await sendRedisCommand(server.port, 'INFO replication')).includes(state), {
    within: 60_000,
    what: `a Redis that reports ${state}`,
  });
}

async function follow(replica: RedisServer, primary: RedisServer): Promise<void> {
  // By default the copy begins 5 s later, in case that more replicas come.
  await command(primary, 'CONFIG SET repl-diskless-sync-delay 0');
  await command(replica, `REPLICAOF 127.0.0.1 ${primary.port}`);
}

async function command(server: RedisServer, text: string): Promise<void> {
  const answer = await sendRedisCommand(server.port, text);
  if (!answer.startsWith('+')) throw new Error(`Redis rejected ${text}: ${answer}`);
}
