import type { SandboxMood } from '../../../local/payment-sandbox.ts';
import type { Fault } from '../fault.ts';

export const what = 'The provider declines, fails, hangs, is slow, or charges without an answer.';
export const targets = ['provider'];
export const weight = 4;
export const lasts: Fault['lasts'] = [2000, 10_000];

/**
 * Not `processing`: the provider never decides those, so they stay half-way for good. The moods of lookups belong to a payment method
 * and differ from `charged_then_dropped` for that alone.
 */
export const MOODS: readonly SandboxMood[] = ['declined', 'error', 'hang', 'slow', 'charged_then_dropped'];

export const draw: Fault['draw'] = (random) => ({ mood: random.pick(MOODS) });

export const begin: Fault['begin'] = (rig, { with: { mood } }) => rig.provider.setMood(mood as SandboxMood);

export const end: Fault['end'] = (rig) => rig.provider.setMood(null);
