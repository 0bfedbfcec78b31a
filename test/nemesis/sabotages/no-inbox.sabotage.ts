import type { Sabotage } from '../sabotage.ts';

export const what = 'A consumer does not notice that it has handled an event before';

export const replacements: Sabotage['replacements'] = [
  { file: 'platform/messaging/inbox/inbox.js', from: 'return recorded === 1;', to: 'return true;' },
  { file: 'platform/messaging/inbox/inbox.js', from: 'return rows.length > 0;', to: 'return false;' },
];
