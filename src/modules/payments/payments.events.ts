import { defineEvent } from '../../platform/messaging/index.js';

export interface PaymentEvent {
  paymentId: string;
  orderId: string;
  /** The paying user. */
  userId: string;
  /** Minor units. */
  amount: number;
  /** ISO 4217. */
  currency: string;
  /** What the user reads, where a request of the user caused it. */
  language?: string | undefined;
}

/** The provider has taken the money; the order is paid. */
export const paymentSucceeded = defineEvent<PaymentEvent>('payment.succeeded', {
  consumers: ['notifications'],
});

/** Nothing was charged; the order can be paid by another payment. */
export const paymentDeclined = defineEvent<PaymentEvent>('payment.declined', {
  consumers: ['notifications'],
});
