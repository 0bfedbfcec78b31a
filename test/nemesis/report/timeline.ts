import type { Operation } from '../history.ts';

/** Operations per time slot, each in the slot in which it was invoked. */
export interface Timeline {
  slotMs: number;
  ok: number[];
  refused: number[];
  unknown: number[];
}

const SLOT_MS = 500;

export function timelineOf(operations: readonly Operation[], lastsMs: number): Timeline {
  const slots = Math.ceil(lastsMs / SLOT_MS);
  const perSlot = (outcome: Operation['outcome']): number[] => {
    const counts = Array<number>(slots).fill(0);
    for (const operation of operations) {
      const slot = Math.min(slots - 1, Math.floor(operation.invokedAt / SLOT_MS));
      if (operation.outcome === outcome) counts[slot]! += 1;
    }
    return counts;
  };
  return { slotMs: SLOT_MS, ok: perSlot('ok'), refused: perSlot('refused'), unknown: perSlot('unknown') };
}
