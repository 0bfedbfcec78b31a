import { APIS } from '../rig.ts';
import { jsonOf, type About, type Asked, type Client, type Done } from './client.ts';

/** A write that has an Idempotency-Key, whatever becomes of it. */
export interface KeyedWrite {
  key: string;
  kind: string;
  owner: { token: string };
  /** What the history files it under. */
  object: string;
  path: string;
  body: object;
  /** It has had an answer that cannot change any more. */
  settled: boolean;
  /** Called with the first success. */
  acknowledged?(value: { id: string }): void;
}

/** Sends a write once, as a client that may give up or hang up. */
export async function attempt(
  client: Client,
  write: KeyedWrite,
  { at = client.anyApi(), ...ask }: Partial<Asked> & { at?: string } = {},
): Promise<Done> {
  const { kind, object, key, body, path, owner } = write;
  const sent = ask.body ?? body;
  const about: About = { kind: ask.body ? `forged-${kind}` : kind, object, key, input: sent };
  const headers = { 'Idempotency-Key': key };
  const done = await client.ask(
    at,
    about,
    { method: 'POST', path, headers, body: sent, token: owner.token, ...ask },
    (answer) => jsonOf<{ id: string }>(answer),
  );
  if (!ask.body && isFinal(done) && !write.settled) {
    write.settled = true;
    if (done.operation.outcome === 'ok') write.acknowledged?.(done.operation.value as { id: string });
  }
  return done;
}

/** Whether a retry would get the same answer, or has no sense. */
export function isFinal({ operation: { outcome, status, code } }: Done): boolean {
  if (outcome === 'ok') return true;
  if (outcome === 'unknown' || code === 'idempotency-key-in-use') return false;
  return status !== 401 && status !== 429 && status !== 503 && status !== 408;
}

/** How a client that is neither patient nor careful asks. */
function moodOf({ random }: Client): Partial<Asked> {
  const mood = random.next();
  if (mood < 0.1) return { hangUpAfterMs: random.integer(0, 60) };
  if (mood < 0.7) return { patienceMs: random.integer(100, 3_000) };
  return {};
}

/**
 * Sends a write until it is answered, the load is over, or the client leaves it for later. As through a load balancer it goes elsewhere
 * when an api was silent, and stays where it was answered.
 */
export async function pursue(client: Client, write: KeyedWrite): Promise<void> {
  let at = client.anyApi();
  while (!write.settled && !client.isOver) {
    if (client.random.chance(0.06)) {
      // The same key at both apis at once.
      await Promise.all(APIS.map((at) => attempt(client, write, { at })));
      await client.pause(200);
    } else {
      const done = await attempt(client, write, { at, ...moodOf(client) });
      if (isFinal(done)) return;
      if (client.random.chance(0.04)) return;
      if (!done.answer) at = APIS.find((other) => other !== at)!;
      await client.waitToRetry(done.answer);
    }
  }
}

/**
 * Sends a write of earlier again: as it was, or with another body under the old key.
 * @param forge makes the other body, which nothing may come of
 */
export async function repeatOld<Write extends KeyedWrite>(
  client: Client,
  earlier: readonly Write[],
  forge: (write: Write) => object,
): Promise<void> {
  if (earlier.length === 0) return;
  const write = client.random.pick(earlier);
  if (write.settled && client.random.chance(0.3)) await attempt(client, write, { body: forge(write) });
  else await attempt(client, write);
}

/** Sends it until there is an answer for good, or the client ends. */
export async function settle(client: Client, write: KeyedWrite): Promise<void> {
  while (!client.isOver) {
    const done = await attempt(client, write);
    if (isFinal(done)) return;
    await client.waitToRetry(done.answer);
  }
}
