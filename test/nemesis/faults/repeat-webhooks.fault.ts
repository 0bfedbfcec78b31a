import type { Fault } from '../fault.ts';

export const what = 'The provider sends its last webhooks once more, the newest first.';
export const targets = ['provider'];

export const draw: Fault['draw'] = (random) => ({ last: random.integer(5, 50) });

export const begin: Fault['begin'] = (rig, { with: { last } }) => rig.provider.repeatWebhooks(Number(last));
