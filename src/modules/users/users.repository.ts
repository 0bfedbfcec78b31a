import { Injectable } from '@nestjs/common';
import { Database } from '../../platform/database/index.js';
import type { Role } from '../../platform/context/index.js';

export interface UserRow {
  id: string;
  email: string;
  name: string;
  role: Role;
  createdAt: Date;
}

export interface CredentialsRow {
  id: string;
  role: Role;
  passwordHash: string;
}

const COLUMNS = 'id, email, name, role, created_at AS "createdAt"';

/** Rows of `users`. E-mail addresses come in lower case. */
@Injectable()
export class UsersRepository {
  constructor(private readonly database: Database) {}

  /** @throws UniqueViolationError on `users_email_key` when the address has an account. */
  async insert(user: { id: string; email: string; name: string; passwordHash: string }): Promise<UserRow> {
    const [row] = await this.database.query<UserRow>({
      name: 'users-insert',
      text: `INSERT INTO users (id, email, name, password_hash) VALUES ($1, $2, $3, $4) RETURNING ${COLUMNS}`,
      values: [user.id, user.email, user.name, user.passwordHash],
    });
    return row as UserRow;
  }

  findById(id: string): Promise<UserRow | undefined> {
    return this.database.queryOne({
      name: 'users-by-id',
      text: `SELECT ${COLUMNS} FROM users WHERE id = $1`,
      values: [id],
    });
  }

  async hasEmail(email: string): Promise<boolean> {
    const row = await this.database.queryOne({
      name: 'users-has-email',
      text: 'SELECT 1 FROM users WHERE email = $1',
      values: [email],
    });
    return row !== undefined;
  }

  findCredentials(email: string): Promise<CredentialsRow | undefined> {
    return this.database.queryOne({
      name: 'users-credentials',
      text: 'SELECT id, role, password_hash AS "passwordHash" FROM users WHERE email = $1',
      values: [email],
    });
  }

  /** Newest first; one row more than `limit` when there are more. */
  page(limit: number, before?: string): Promise<UserRow[]> {
    return this.database.read(
      before === undefined
        ? {
            name: 'users-first-page',
            text: `SELECT ${COLUMNS} FROM users ORDER BY id DESC LIMIT $1`,
            values: [limit + 1],
          }
        : {
            name: 'users-next-page',
            text: `SELECT ${COLUMNS} FROM users WHERE id < $2 ORDER BY id DESC LIMIT $1`,
            values: [limit + 1, before],
          },
    );
  }

  rename(id: string, name: string): Promise<UserRow | undefined> {
    return this.database.queryOne({
      name: 'users-rename',
      text: `UPDATE users SET name = $2, updated_at = now() WHERE id = $1 RETURNING ${COLUMNS}`,
      values: [id, name],
    });
  }

  setRole(email: string, role: Role): Promise<UserRow | undefined> {
    return this.database.queryOne({
      text: `UPDATE users SET role = $2, updated_at = now() WHERE email = $1 RETURNING ${COLUMNS}`,
      values: [email, role],
    });
  }

  /** Replaces a hash by a better one of the same password, unless it has changed meanwhile. */
  async replaceHash(id: string, from: string, to: string): Promise<void> {
    await this.database.execute({
      text: 'UPDATE users SET password_hash = $3 WHERE id = $1 AND password_hash = $2',
      values: [id, from, to],
    });
  }
}
