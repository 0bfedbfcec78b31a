import { Queue } from 'bullmq';
import type { Fault } from '../fault.ts';
import type { Rig } from '../rig.ts';
import { onRedis } from './redis-admin.ts';

export const what = 'An operator pauses all queues, and resumes them.';
export const targets = ['redis'];
export const lasts: Fault['lasts'] = [2000, 8000];

export const begin: Fault['begin'] = (rig) => eachQueue(rig, (queue) => queue.pause());

export const end: Fault['end'] = (rig) => eachQueue(rig, (queue) => queue.resume());

async function eachQueue(rig: Rig, work: (queue: Queue) => Promise<void>): Promise<void> {
  for (const key of await metaKeys(rig)) {
    const [prefix, name] = [key.slice(0, key.lastIndexOf(':')), key.slice(key.lastIndexOf(':') + 1)];
    const queue = new Queue(name, { prefix, connection: { port: rig.redis.primary.port } });
    try {
      await work(queue);
    } finally {
      await queue.close();
    }
  }
}

/** `prefix:name` of each queue. */
async function metaKeys(rig: Rig): Promise<string[]> {
  const answer = await onRedis(rig, 'KEYS *:meta');
  return answer.split('\r\n').flatMap((line) => /^([^*$].*):meta$/.exec(line)?.slice(1) ?? []);
}
