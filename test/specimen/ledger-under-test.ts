import { randomUUID } from 'node:crypto';
import { UsersService } from '../../src/modules/users/index.js';
import { startProduct, type ProductUnderTest } from '../e2e/product-under-test.js';
import type { HttpClient } from '../../local/http.js';
import { createTables } from './create-tables.js';
import { PRODUCT as FEATURES } from './product.modules.js';
import { PRODUCT } from './product.js';

/** A user of the ledger who is logged in. */
export interface Owner {
  userId: string;
  email: string;
  accessToken: string;
  /** With the token. */
  http: HttpClient;
  /** Opens an account. @returns its id */
  open(amount?: number): Promise<string>;
}

/** The ledger in this process, over HTTP, on servers of its own: for tests of the platform. */
export interface LedgerUnderTest extends ProductUnderTest {
  newOwner(): Promise<Owner>;
  /** An owner who is an admin besides. */
  newAdmin(): Promise<Owner>;
}

const PASSWORD = 'a password of some length';

/** @param env settings, as environment variables */
export async function startLedger(env: Record<string, string> = {}): Promise<LedgerUnderTest> {
  const product = await startProduct(env, {
    product: PRODUCT,
    features: FEATURES,
    migrate: createTables,
  });
  const users = product.api.get(UsersService, { strict: false });
  return Object.assign(product, {
    newOwner: () => newOwner(product.http),
    newAdmin: () => newOwner(product.http, (email) => users.promote(email)),
  });
}

/** A request with an Idempotency-Key. */
export function withKey(key: string = randomUUID()): { headers: Record<string, string> } {
  return { headers: { 'idempotency-key': key } };
}

/** @param registered what is done before the login */
async function newOwner(
  anonymous: HttpClient,
  registered: (email: string) => Promise<unknown> = () => Promise.resolve(),
): Promise<Owner> {
  const email = `${randomUUID()}@example.com`;
  const user = await anonymous.post<{ id: string }>('/v1/auth/register', {
    email,
    password: PASSWORD,
    name: 'Ada',
  });
  await registered(email);
  const login = await anonymous.post<{ accessToken: string }>('/v1/auth/login', {
    email,
    password: PASSWORD,
  });
  if (login.status !== 200) throw new Error(`Login failed: ${login.status} ${login.text}`);
  const { accessToken } = login.body;
  const http = anonymous.as(accessToken);
  return {
    userId: user.body.id,
    email,
    accessToken,
    http,
    open: async (amount = 1_000_000) => {
      const account = { name: 'Savings', balance: { amount, currency: 'EUR' } };
      return (await http.post<{ id: string }>('/v1/accounts', account)).body.id;
    },
  };
}
