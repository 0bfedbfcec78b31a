import type { Verdict } from '../../invariant.ts';
import type { Judged } from './evidence.ts';

export const statement = 'No event ends as a dead letter: every fault passes';

export function check({ final }: Pick<Judged, 'final'>): Verdict {
  return {
    counted: `${final.transfers.length + final.prints.length + final.payees.length} events and jobs`,
    violations: final.deadLetters.map(({ name, reason }) => ({
      what: `${name} is a dead letter: ${reason}`,
      about: [],
    })),
  };
}
