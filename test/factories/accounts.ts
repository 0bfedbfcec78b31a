import type { TestUser } from './users.ts';

/** Opens an account of the ledger. @returns its id */
export async function newAccount(owner: TestUser, amount = 1_000_000): Promise<string> {
  const account = { name: 'Savings', balance: { amount, currency: 'EUR' } };
  return (await owner.http.post<{ id: string }>('/v1/accounts', account)).body.id;
}
