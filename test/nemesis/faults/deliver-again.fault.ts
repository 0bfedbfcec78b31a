import type { Fault } from '../fault.ts';
import { execute } from './postgres-admin.ts';

/**
 * At least once is what the outbox promises, in no order. The id of an event stays: with another one it would be another event, whose
 * effects are its own.
 */
export const what =
  'Events and jobs of the last seconds are delivered once more, in another order and after newer ones.';
export const targets = ['outbox'];
export const weight = 3;

export const draw: Fault['draw'] = (random) => ({ seconds: random.integer(2, 20) });

export const begin: Fault['begin'] = async (rig, { with: { seconds } }) => {
  await execute(
    rig,
    `UPDATE outbox_events SET relayed_at = NULL, redeliver_at = NULL, position = DEFAULT
     FROM (SELECT id FROM outbox_events WHERE occurred_at > now() - interval '${seconds} s' ORDER BY random()) AS recent
     WHERE outbox_events.id = recent.id`,
  );
};
