import { expect, it } from 'vitest';
import { RetryBudget } from './retry-budget.js';

it('keeps retries near a tenth of the calls once the reserve is spent', () => {
  const budget = new RetryBudget();
  let retries = 0;
  for (let call = 0; call < 1000; call += 1) {
    budget.deposit();
    if (budget.withdraw()) retries += 1;
  }
  expect(retries).toBeGreaterThanOrEqual(100);
  expect(retries).toBeLessThanOrEqual(111);
});
