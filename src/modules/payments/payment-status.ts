export const PAYMENT_STATUSES = ['pending', 'succeeded', 'declined', 'unknown', 'disputed'] as const;

/**
 * `pending`: the provider is being called. `unknown`: the call had no certain outcome; a webhook or the reconciliation will
 * report it. `succeeded` and `declined` come from the provider and are final. `disputed`: the provider has taken another amount
 * than the order's; only an operator's decision makes it `succeeded` or `declined`.
 */
export type PaymentStatus = (typeof PAYMENT_STATUSES)[number];

/** Every transition that a report of the provider can cause; any other is impossible. */
const NEXT: Record<PaymentStatus, readonly PaymentStatus[]> = {
  pending: ['succeeded', 'declined', 'unknown', 'disputed'],
  unknown: ['succeeded', 'declined', 'disputed'],
  succeeded: [],
  declined: [],
  disputed: [],
};

/** The statuses from which a payment can become `to`. */
export function statusesBefore(to: PaymentStatus): PaymentStatus[] {
  return PAYMENT_STATUSES.filter((from) => NEXT[from].includes(to));
}
