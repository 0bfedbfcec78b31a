import { randomUUID } from 'node:crypto';
import { newId, type Database } from '../../src/platform/database/index.js';
import { httpClient, type HttpClient } from '../../local/http.ts';
import { served } from '../support/served.ts';

interface Tokens {
  accessToken: string;
  refreshToken: string;
}

/** A user who is logged in. */
export interface TestUser extends Tokens {
  userId: string;
  email: string;
  password: string;
  /** With the token. */
  http: HttpClient;
}

/** What a test wants to know of a user before it registers; the rest is made up. */
export interface Registration {
  email: string;
  password: string;
  name: string;
}

/** @param api where to register */
export function newUser(api: { url: string }, given?: Partial<Registration>): Promise<TestUser> {
  return register(httpClient(api.url), given);
}

/** A user with the role `admin`, which nobody gets over HTTP. */
export function newAdmin(
  api: { url: string; sql(text: string, values: unknown[]): Promise<unknown> },
  given?: Partial<Registration>,
): Promise<TestUser> {
  return register(httpClient(api.url), given, (email) =>
    api.sql(`UPDATE users SET role = 'admin' WHERE email = $1`, [email]),
  );
}

/** The row of a user who cannot log in, for tests without an api. @returns its id */
export async function newUserRow(
  database: Database,
  { id = newId(), email = `${id}@example.com` }: { id?: string; email?: string } = {},
): Promise<string> {
  await database.execute({
    text: `INSERT INTO users (id, email, name, password_hash) VALUES ($1, $2, 'Ada', '$hash')`,
    values: [id, email],
  });
  return id;
}

/** @param registered what is done before the login: the token says what is true then */
async function register(
  anonymous: HttpClient,
  given?: Partial<Registration>,
  registered?: (email: string) => Promise<unknown>,
): Promise<TestUser> {
  const user = {
    email: `${randomUUID()}@example.com`,
    password: 'a password of some length',
    name: 'Ada',
    ...given,
  };
  const { email, password } = user;
  const made = await served(() => anonymous.post('/v1/auth/register', user));
  // 409: an attempt that was answered 503 has taken effect.
  if (made.status !== 201 && made.status !== 409)
    throw new Error(`Registration failed: ${made.status} ${made.text}`);
  await registered?.(email);
  const login = await served(() => anonymous.post<Tokens>('/v1/auth/login', { email, password }));
  if (login.status !== 200) throw new Error(`Login failed: ${login.status} ${login.text}`);
  const { accessToken } = login.body;
  const claims = Buffer.from(accessToken.split('.')[1]!, 'base64url').toString();
  const { sub: userId } = JSON.parse(claims) as { sub: string };
  return { userId, email, password, ...login.body, http: anonymous.as(accessToken) };
}
