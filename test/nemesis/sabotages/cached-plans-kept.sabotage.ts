import type { Sabotage } from '../sabotage.ts';

export const what = 'Connections keep prepared statements whose result type a migration has changed';

export const replacements: Sabotage['replacements'] = [
  {
    file: 'platform/database/database.errors.js',
    from: `return error.routine === 'RevalidateCachedQuery';`,
    to: 'return false;',
  },
];
