import type { Operation } from './history.ts';
import type { Counts, Timeline } from './results.ts';

const SLOT_MS = 500;

export function timelineOf(operations: readonly Operation[]): Timeline {
  const last = operations.reduce((latest, { invokedAt }) => Math.max(latest, invokedAt), 0);
  const slots = operations.length === 0 ? 0 : Math.floor(last / SLOT_MS) + 1;
  const perSlot = (outcome: Operation['outcome']): number[] => {
    const counts = Array<number>(slots).fill(0);
    for (const operation of operations)
      if (operation.outcome === outcome) counts[Math.floor(operation.invokedAt / SLOT_MS)]! += 1;
    return counts;
  };
  return { slotMs: SLOT_MS, ok: perSlot('ok'), refused: perSlot('refused'), unknown: perSlot('unknown') };
}

export function countsOf(operations: readonly Operation[]): Counts {
  const count = (outcome: Operation['outcome']): number =>
    operations.filter((operation) => operation.outcome === outcome).length;
  return {
    operations: operations.length,
    ok: count('ok'),
    refused: count('refused'),
    unknown: count('unknown'),
  };
}
