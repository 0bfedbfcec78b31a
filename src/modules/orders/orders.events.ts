import { defineEvent } from '../../platform/messaging/index.js';

export interface OrderEvent {
  orderId: string;
  /** Whose order it is. */
  userId: string;
  /** The order's total in minor units. */
  amount: number;
  /** ISO 4217. */
  currency: string;
  /** What the user reads, where a request of the user caused it. */
  language?: string | undefined;
}

export const orderPlaced = defineEvent<OrderEvent>('order.placed', { consumers: ['notifications'] });

/** The customer cancelled the order before it was paid; its stock is free again. */
export const orderCancelled = defineEvent<OrderEvent>('order.cancelled', { consumers: ['notifications'] });
