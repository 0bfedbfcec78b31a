import { describe, expect, it } from 'vitest';
import { canBecome, ORDER_STATUSES } from './order-status.js';

describe('An order', () => {
  it('goes from pending to paid to fulfilled, or is cancelled while pending, and nothing else', () => {
    const steps = ORDER_STATUSES.flatMap((from) =>
      ORDER_STATUSES.filter((to) => canBecome(from, to)).map((to) => `${from} -> ${to}`),
    );
    expect(steps).toEqual(['pending -> paid', 'pending -> cancelled', 'paid -> fulfilled']);
  });
});
