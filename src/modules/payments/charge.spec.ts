import { describe, expect, it } from 'vitest';
import { parseCharge } from './charge.js';

const charge = {
  id: 'ch_1',
  idempotencyKey: '019a9f3c-0000-7000-8000-00000000beef',
  status: 'succeeded',
  amount: 4050,
  currency: 'EUR',
};

describe('A charge of the provider', () => {
  it('is parsed without unknown members', () => {
    expect(parseCharge({ ...charge, paymentMethod: 'pm_card_ok', createdAt: 'now' })).toEqual(charge);
    expect(parseCharge({ ...charge, status: 'declined', declineCode: 'card_declined' })).toEqual({
      ...charge,
      status: 'declined',
      declineCode: 'card_declined',
    });
  });

  it.each([
    ['nothing', undefined],
    ['null', null],
    ['text', 'charge'],
    ['one without an id', { ...charge, id: undefined }],
    ['one with a key that is not a payment id', { ...charge, idempotencyKey: 'order-1' }],
    ['one with an unknown status', { ...charge, status: 'refunded' }],
    ['one with a fraction of a cent', { ...charge, amount: 0.5 }],
    ['one with an amount as text', { ...charge, amount: '4050' }],
    ['one without a currency', { ...charge, currency: undefined }],
  ])('is not %s', (_, value) => {
    expect(parseCharge(value)).toBeUndefined();
  });
});
