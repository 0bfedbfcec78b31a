import { sendRedisCommand } from '../../../local/servers/redis.ts';
import { waitFor } from '../../../local/wait-for.ts';
import type { Fault } from '../fault.ts';
import { onRedis } from './redis-admin.ts';

export const what = 'A script that does not end keeps Redis busy: it answers everybody with BUSY.';
export const targets = ['redis'];
export const lasts: Fault['lasts'] = [500, 5000];

export const begin: Fault['begin'] = async (rig) => {
  const { port } = rig.redis.primary;
  await onRedis(rig, 'CONFIG SET busy-reply-threshold 50');
  sendRedisCommand(port, 'EVAL "while true do end" 0').catch(() => undefined);
  await waitFor(async () => (await sendRedisCommand(port, 'PING')).startsWith('-BUSY'), {
    what: 'a busy Redis',
  });
};

export const end: Fault['end'] = async (rig) => {
  const answer = await sendRedisCommand(rig.redis.primary.port, 'SCRIPT KILL');
  if (!/^\+OK|^-NOTBUSY/.test(answer)) throw new Error(`Redis stays busy: ${answer}`);
};
