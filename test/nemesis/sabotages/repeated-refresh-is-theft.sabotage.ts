import type { Sabotage } from '../sabotage.ts';

export const what =
  'A refresh that is repeated, because its answer was lost, counts as theft and ends the session';

export const replacements: Sabotage['replacements'] = [
  {
    file: 'modules/auth/sessions.repository.js',
    from: 'OR (s.token_hash = ANY (s.successor_hashes) AND (s.used_hash = $2 OR $2 = ANY (s.successor_hashes)))',
    to: '',
  },
];
