import type { Verdict } from '../invariant.ts';

export const statement = 'No event ends as a dead letter: every fault passes';

export function check({
  final: { announced, deadLetters },
}: {
  final: { announced: number; deadLetters: { name: string; reason: string }[] };
}): Verdict {
  return {
    counted: `${announced} events and jobs`,
    violations: deadLetters.map(({ name, reason }) => ({
      what: `${name} is a dead letter: ${reason}`,
      about: [],
    })),
  };
}
