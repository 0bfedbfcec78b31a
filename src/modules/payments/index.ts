export { paymentDeclined, paymentSucceeded, type PaymentEvent } from './payments.events.js';
export { PaymentsModule } from './payments.module.js';
