import type { Fault } from '../fault.ts';

export const what = 'The provider announces nothing: webhooks of charges that are made meanwhile are lost.';
export const targets = ['provider'];
export const lasts: Fault['lasts'] = [3000, 12_000];

export const begin: Fault['begin'] = (rig) => rig.provider.setWebhooks(false);

export const end: Fault['end'] = (rig) => rig.provider.setWebhooks(true);
