import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { freePort } from './ports.ts';
import { privateDirectory } from './private-directory.ts';
import { answersPing, type RedisServer } from './redis.ts';
import { startServer, type ServerControl } from './server-process.ts';
import { knownTool } from './system-tool.ts';

export interface RedisSentinel extends ServerControl {
  readonly port: number;
}

/** Starts a Sentinel that watches `primary` under the name `mymaster` and fails over by itself, soon: its vote is enough. */
export async function startSentinel(primary: RedisServer): Promise<RedisSentinel> {
  const port = await freePort();
  const tool = await knownTool('redis');
  const directory = await privateDirectory('sentinel');
  const file = join(directory.path, 'sentinel.conf');
  await writeFile(
    file,
    [
      `port ${port}`,
      'bind 127.0.0.1',
      `dir ${directory.path}`,
      `sentinel monitor mymaster 127.0.0.1 ${primary.port} 1`,
      'sentinel down-after-milliseconds mymaster 1000',
      'sentinel failover-timeout mymaster 5000',
    ].join('\n'),
  );
  const server = await startServer(
    {
      name: 'Redis Sentinel',
      command: tool.command,
      args: [file, '--sentinel'],
      env: tool.env,
      cwd: directory.path,
      isReady: () => answersPing(port),
      stopWithinMs: 5000,
    },
    { directory, discardBy: 'SIGKILL' },
  );
  return Object.assign(server, { port });
}
