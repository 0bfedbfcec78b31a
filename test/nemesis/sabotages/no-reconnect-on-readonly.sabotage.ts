import type { Sabotage } from '../sabotage.ts';

export const what = 'Connections stay at a Redis that has become a replica';

export const replacements: Sabotage['replacements'] = [
  {
    file: 'platform/redis/redis-client.js',
    from: 'return NOT_THE_PRIMARY.test(error.message);',
    to: 'return false;',
  },
];
