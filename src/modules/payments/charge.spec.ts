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
    ['a text', 'charge'],
    ['one without an id', { ...charge, id: undefined }],
    ['one of another key than a payment of ours', { ...charge, idempotencyKey: 'order-1' }],
    ['an unknown status', { ...charge, status: 'refunded' }],
    ['a fraction of a cent', { ...charge, amount: 0.5 }],
    ['an amount as text', { ...charge, amount: '4050' }],
    ['no currency', { ...charge, currency: undefined }],
  ])('is not %s', (_, value) => {
    expect(parseCharge(value)).toBeUndefined();
  });
});
