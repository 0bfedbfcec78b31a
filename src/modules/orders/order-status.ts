export const ORDER_STATUSES = ['pending', 'paid', 'fulfilled', 'cancelled'] as const;

export type OrderStatus = (typeof ORDER_STATUSES)[number];

/** Every transition of an order; any other is impossible. */
const NEXT: Record<OrderStatus, readonly OrderStatus[]> = {
  pending: ['paid', 'cancelled'],
  paid: ['fulfilled'],
  fulfilled: [],
  cancelled: [],
};

export function canBecome(from: OrderStatus, to: OrderStatus): boolean {
  return NEXT[from].includes(to);
}
