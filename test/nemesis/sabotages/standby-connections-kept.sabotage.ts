import type { Sabotage } from '../sabotage.ts';

export const what = 'Connections stay at a PostgreSQL that refuses to write, after a failover';

export const replacements: Sabotage['replacements'] = [
  {
    file: 'platform/database/connection-pool.js',
    from: 'const refusedWrite = isRefusedWrite(error) && !connection.readOnly && !acceptsStandby;',
    to: 'const refusedWrite = false;',
  },
];
