export const PAYMENT_STATUSES = ['pending', 'succeeded', 'declined', 'unknown'] as const;

/**
 * `pending`: we are asking the provider. `unknown`: we asked and heard nothing certain; a webhook or the reconciliation
 * will tell. `succeeded` and `declined` are the provider's word and final.
 */
export type PaymentStatus = (typeof PAYMENT_STATUSES)[number];

/** Every step a payment can take; what is not here cannot happen. */
const NEXT: Record<PaymentStatus, readonly PaymentStatus[]> = {
  pending: ['succeeded', 'declined', 'unknown'],
  unknown: ['succeeded', 'declined'],
  succeeded: [],
  declined: [],
};

/** The statuses from which a payment can become `to`. */
export function statusesBefore(to: PaymentStatus): PaymentStatus[] {
  return PAYMENT_STATUSES.filter((from) => NEXT[from].includes(to));
}
