export const PAYMENT_STATUSES = ['pending', 'succeeded', 'declined', 'unknown', 'disputed'] as const;

/**
 * `pending`: we are asking the provider. `unknown`: we asked and heard nothing certain; a webhook or the reconciliation
 * will tell. `succeeded` and `declined` are the provider's word and final. `disputed`: the provider has taken another amount than the
 * order's; only an operator's decision makes it `succeeded` or `declined`.
 */
export type PaymentStatus = (typeof PAYMENT_STATUSES)[number];

/** Every step that the provider's word can cause; what is not here cannot happen. */
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
