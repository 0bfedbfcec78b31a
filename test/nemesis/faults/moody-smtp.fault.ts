import type { SinkMood } from '../../../local/smtp-sink.ts';
import type { Fault } from '../fault.ts';

/** No mood is about a recipient or a content, so every mail arrives in the end: perhaps after its dead letter is replayed. */
export const what =
  'The mail server refuses, denies relaying, hangs, is slow, or accepts a mail without an answer.';
export const targets = ['smtp'];
export const weight = 3;
export const lasts: Fault['lasts'] = [2000, 10_000];

export const MOODS: readonly SinkMood[] = ['refuse', 'deny_relay', 'hang', 'slow', 'accept_then_drop'];

export const draw: Fault['draw'] = (random) => ({ mood: random.pick(MOODS) });

export const begin: Fault['begin'] = (rig, { with: { mood } }) => rig.smtp.setMood(mood as SinkMood);

export const end: Fault['end'] = (rig) => rig.smtp.setMood('ok');
