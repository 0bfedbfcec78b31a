import type { Operation } from '../../history.ts';
import type { Final, FinalOrder } from './final.ts';

export interface Judged {
  history: readonly Operation[];
  final: Final;
}

export type WrittenOrder = Extract<Final['writes'][number], { kind: 'order' }>;

export function orderWrites({ writes }: Final): WrittenOrder[] {
  return writes.filter((write): write is WrittenOrder => write.kind === 'order');
}

/** Orders by the number that no other write has. */
export function ordersByNumber({ orders, hotPrice }: Final): Map<number, FinalOrder[]> {
  return Map.groupBy(orders, ({ total }) => total % hotPrice);
}
