/** A charge as the provider reports it. */
export interface Charge {
  id: string;
  /** Our payment's id. */
  idempotencyKey: string;
  status: 'succeeded' | 'declined';
  /** Minor units. */
  amount: number;
  currency: string;
  declineCode?: string;
}

/** Whether this status of a charge is final. Providers have others, for charges in progress. */
export function isFinal(status: unknown): status is Charge['status'] {
  return status === 'succeeded' || status === 'declined';
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** The charge that the provider sent, if it is one of ours; unknown members are left out. */
export function parseCharge(value: unknown): Charge | undefined {
  const { id, idempotencyKey, status, amount, currency, declineCode } = (value ?? {}) as Record<
    string,
    unknown
  >;
  if (typeof id !== 'string' || typeof idempotencyKey !== 'string' || !UUID.test(idempotencyKey))
    return undefined;
  if (!isFinal(status)) return undefined;
  if (!Number.isSafeInteger(amount) || typeof currency !== 'string') return undefined;
  return {
    id,
    idempotencyKey,
    status,
    amount: Number(amount),
    currency,
    ...(typeof declineCode === 'string' && { declineCode }),
  };
}

/** Providers reject a charge of zero; an order of free items still counts as paid. */
export function nothingToCharge({ id, currency }: { id: string; currency: string }): Charge {
  return { id: 'none', idempotencyKey: id, status: 'succeeded', amount: 0, currency };
}
