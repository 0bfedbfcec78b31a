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
  moved: (server: RedisServer) => void,
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
      await waitFor(
        async () => (await sendRedisCommand(replica.port, 'INFO replication')).includes('_status:up'),
        {
          within: 60_000,
          what: 'a Redis replica that is connected',
        },
      );
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
    stop: async () => {
      await Promise.all([primary.stop(), replica.stop()]);
    },
  };
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
