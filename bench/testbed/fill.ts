import { argon2Sync, randomBytes } from 'node:crypto';
import type pg from 'pg';
import type { RequestTemplate } from '../../local/requests.ts';

/** Of every account here. */
const PASSWORD = 'correct horse battery staple';

/** For the session: rows that are made here need no check of their foreign keys. */
export async function withoutForeignKeys(sql: pg.Client): Promise<void> {
  await sql.query(`SET session_replication_role = 'replica'`);
}

/** Users, the n-th of whom logs in by `loginOf(n)`, from 1. */
export async function addUsers(sql: pg.Client, users: number): Promise<void> {
  await sql.query(
    `INSERT INTO users (id, email, name, password_hash)
     SELECT uuidv7(), 'customer-' || n || '@example.com', 'Customer ' || n, $2 FROM generate_series(1, $1::int) n`,
    [users, passwordHash()],
  );
}

export function loginOf(n: number): RequestTemplate {
  const body = { email: `customer-${n}@example.com`, password: PASSWORD };
  return { method: 'POST', path: '/v1/auth/login', body };
}

/** Finishes the work that follows loading before anything is measured: statistics, visibility map, dirty pages. */
export async function settle(sql: pg.Client, tables: readonly string[]): Promise<void> {
  await sql.query(`VACUUM (ANALYZE) ${tables.join(', ')}, outbox_events, inbox`);
  await sql.query('CHECKPOINT');
}

export async function idsOf(sql: pg.Client, query: string): Promise<string[]> {
  const { rows } = await sql.query<{ id: string }>(query);
  return rows.map(({ id }) => id);
}

/** One hash for all of them: it only has to match. Parameters: src/modules/users/password-hash.ts. */
function passwordHash(): string {
  const nonce = randomBytes(16);
  const tag = argon2Sync('argon2id', {
    message: Buffer.from(PASSWORD),
    nonce,
    memory: 19_456,
    passes: 2,
    parallelism: 1,
    tagLength: 32,
  });
  const base64 = (bytes: Buffer): string => bytes.toString('base64').replace(/=+$/, '');
  return `$argon2id$v=19$m=19456,t=2,p=1$${base64(nonce)}$${base64(tag)}`;
}
