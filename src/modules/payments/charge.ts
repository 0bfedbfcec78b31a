/** The provider's word on a charge. */
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

/** Whether a charge in this status stays as it is. Providers have others, for what they are still working on. */
export function isFinal(status: unknown): status is Charge['status'] {
  return status === 'succeeded' || status === 'declined';
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** What the provider sent as a charge, if it is one of ours; what we do not know of it is left out. */
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

/** Providers refuse to charge nothing; an order of gifts is paid all the same. */
export function nothingToCharge({ id, currency }: { id: string; currency: string }): Charge {
  return { id: 'none', idempotencyKey: id, status: 'succeeded', amount: 0, currency };
}
