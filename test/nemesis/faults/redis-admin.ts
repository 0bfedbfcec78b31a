import { sendRedisCommand } from '../../../local/servers/redis.ts';
import type { Rig } from '../rig.ts';

/** Sends a command to the present primary, past every proxy. @throws Error when it is refused */
export async function onRedis(rig: Rig, command: string): Promise<string> {
  const answer = await sendRedisCommand(rig.redis.primary.port, command, 5000);
  if (answer.startsWith('-')) throw new Error(`Redis rejected ${command}: ${answer.trim()}`);
  return answer;
}
