import type { Verdict } from '../../invariant.ts';
import type { Judged } from './evidence.ts';

export const statement = 'What is in stock, and what is in orders that were not cancelled, is what there was';

export function check({ final }: Pick<Judged, 'final'>): Verdict {
  const ordered = new Map<string, number>();
  for (const { product, quantity, status } of final.orders)
    if (status !== 'cancelled') ordered.set(product, (ordered.get(product) ?? 0) + quantity);
  return {
    counted: `${final.orders.length} orders of ${final.hot.length} products`,
    violations: final.products.flatMap(({ id, stock }) => {
      const first = final.hot.find((product) => product.id === id)!.stock;
      const now = stock + (ordered.get(id) ?? 0);
      if (now === first) return [];
      return [{ what: `Of ${id} there were ${first}; now ${now} are in stock or ordered`, about: [id] }];
    }),
  };
}
