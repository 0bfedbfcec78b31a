import type { Random } from '../random.ts';
import type { Rig } from '../rig.ts';
import type { Step } from '../schedule.ts';

export const what =
  'A command of the product is started and killed in the middle: it may have done nothing, a part, or all.';
export const targets = ['migrate', 'dead-letter replay --all'];

export function draw(random: Random): Step['with'] {
  // From before its first connection to after its end.
  return { afterMs: random.integer(300, 3_000) };
}

export async function begin(rig: Rig, step: Step): Promise<void> {
  await rig.cli(step.target.split(' '), {}, { killAfterMs: Number(step.with.afterMs) });
}
