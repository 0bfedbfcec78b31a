import type { Language } from '../platform/languages/index.js';

/** The texts of problems are where they are thrown. */
export const en: Language = {
  titles: {},
  details: {},
  texts: {
    // only: notifications
    'mail.greeting': 'Hello,',
    'mail.greeting.name': 'Hello {name},',
    'mail.order.placed.subject': 'We have received your order {order}',
    'mail.order.placed.body':
      'Thank you for your order {orderId} of {money}.\n\nThe goods are reserved for you until it is paid.',
    'mail.order.cancelled.subject': 'Your order {order} is cancelled',
    'mail.order.cancelled.body':
      'Your order {orderId} of {money} is cancelled. Nothing more will be charged for it.',
    'mail.payment.succeeded.subject': 'We have received your payment for order {order}',
    'mail.payment.succeeded.body': 'We have received {money} for your order {orderId}.',
    'mail.payment.declined.subject': 'Your payment for order {order} was declined',
    'mail.payment.declined.body':
      'The payment of {money} for your order {orderId} was declined. Nothing was charged.\n\n' +
      'Your order is still open: you can pay for it with another payment method.',
    // end
  },
};
