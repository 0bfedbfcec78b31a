import type { Sabotage } from '../sabotage.ts';

export const what =
  'An attempt that was overtaken by another one (it was frozen past its lease) still finishes or abandons the work';

export const replacements: Sabotage['replacements'] = [
  {
    file: 'platform/idempotency/idempotency.repository.js',
    from: `AND reference = $3 AND locked_until = $4 AND status IS NULL FOR UPDATE`,
    to: `AND reference = $3 AND $4::timestamptz IS NOT NULL FOR UPDATE`,
  },
];
