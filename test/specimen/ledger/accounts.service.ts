import { hash } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { CacheFactory, type Cached, type ReadThroughCache } from '../../../src/platform/cache/index.js';
import {
  ConnectionPool,
  Database,
  newId,
  streamRows,
  UnitOfWork,
} from '../../../src/platform/database/index.js';
import { BusinessRuleError, ClientError } from '../../../src/platform/errors/index.js';
import { decodeCursor, pageOf, type PageQuery } from '../../../src/platform/http/index.js';
import type { AccountDto, ChangeAccountDto, OpenAccountDto } from './ledger.dto.js';

interface AccountRow {
  id: string;
  ownerId: string;
  name: string;
  note: string;
  balance: number;
  currency: string;
  version: number;
  updatedAt: Date;
}

/** An answer as it is sent, and its strong entity tag. */
export interface Rendered {
  body: string;
  etag: string;
}

export interface RenderedAccount extends Rendered {
  id: string;
  version: number;
}

const COLUMNS = `id, owner_id AS "ownerId", name, note, balance, currency, version, updated_at AS "updatedAt"`;

/** Accounts: anybody reads them, through the cache; only the owner changes them and moves their money. */
@Injectable()
export class AccountsService {
  private readonly accounts: ReadThroughCache<RenderedAccount>;
  private readonly pages: ReadThroughCache<Rendered>;

  constructor(
    private readonly database: Database,
    private readonly pool: ConnectionPool,
    private readonly unitOfWork: UnitOfWork,
    caches: CacheFactory,
  ) {
    this.accounts = caches.create<RenderedAccount>({
      name: 'accounts',
      versionOf: ({ version }) => version,
      isUsable: ({ etag, version }) => etag === etagOf(version),
      load: async (id) => {
        const row = await this.row(id);
        return row && render(row);
      },
    });
    this.pages = caches.createLocal<Rendered>({
      name: 'account-pages',
      load: async (key) => {
        const [limit, before] = JSON.parse(key) as [number, string?];
        const body = JSON.stringify(pageOf(await this.rows(limit, before), limit, ({ id }) => [id], present));
        return { body, etag: `"${hash('sha1', body, 'base64url')}"` };
      },
    });
  }

  /** @throws ClientError 404 `account-not-found` */
  async find(id: string): Promise<Cached<Rendered>> {
    const cached = await this.accounts.get(id);
    if (!cached) throw accountNotFound();
    return cached;
  }

  async page({ limit, cursor }: PageQuery): Promise<Cached<Rendered>> {
    const position = decodeCursor<[string]>(cursor, ['uuid']) ?? [];
    return (await this.pages.get(JSON.stringify([limit, ...position])))!;
  }

  async open(ownerId: string, { name, note = '', balance }: OpenAccountDto): Promise<RenderedAccount> {
    const row = await this.database.queryOne<AccountRow>({
      name: 'accounts-insert',
      text: `INSERT INTO accounts (id, owner_id, name, note, balance, currency)
             VALUES ($1, $2, $3, $4, $5, $6) RETURNING ${COLUMNS}`,
      values: [newId(), ownerId, name, note, balance.amount, balance.currency],
    });
    this.pages.outdateAll();
    return render(row!);
  }

  /** @throws ClientError 404 `account-not-found`, also for somebody else's; BusinessRuleError 412 `stale-version` */
  async change(
    ownerId: string,
    id: string,
    versions: number[] | undefined,
    { name, note }: ChangeAccountDto,
  ): Promise<RenderedAccount> {
    const row = await this.database.queryOne<AccountRow>({
      name: 'accounts-change',
      text: `UPDATE accounts SET name = coalesce($4, name), note = coalesce($5, note), version = version + 1, updated_at = now()
             WHERE id = $1 AND owner_id = $2 AND ($3::int[] IS NULL OR version = ANY ($3)) RETURNING ${COLUMNS}`,
      values: [id, ownerId, versions ?? null, name ?? null, note ?? null],
    });
    if (row) {
      this.outdate([row]);
      return render(row);
    }
    await this.requireOwn(ownerId, id);
    throw new BusinessRuleError({
      status: 412,
      code: 'stale-version',
      detail: 'The account has changed since.',
    });
  }

  /**
   * Adds to the balances of accounts, in the caller's unit of work.
   * @param changes one for each account; negative where money is taken
   * @throws ClientError 422 `unknown-account`; BusinessRuleError 409 `insufficient-funds`, `mixed-currencies`
   */
  async move(changes: Map<string, number>): Promise<void> {
    const ids = [...changes.keys()].toSorted();
    // In one order everywhere: two transfers between the same accounts wait for each other and do not deadlock.
    const rows = await this.database.query<{ id: string; balance: number; currency: string }>({
      name: 'accounts-lock',
      text: 'SELECT id, balance, currency FROM accounts WHERE id = ANY ($1::uuid[]) ORDER BY id FOR UPDATE',
      values: [ids],
    });
    const unknown = ids.find((id) => !rows.some((row) => row.id === id));
    if (unknown) {
      throw new ClientError({
        status: 422,
        code: 'unknown-account',
        detail: `There is no account ${unknown}.`,
      });
    }
    const short = rows.find(({ id, balance }) => balance + changes.get(id)! < 0);
    if (short) {
      const { id: accountId, balance: available } = short;
      const extensions = { accountId, available };
      throw new BusinessRuleError({
        status: 409,
        code: 'insufficient-funds',
        detail: 'The balance is too low.',
        extensions,
      });
    }
    if (new Set(rows.map(({ currency }) => currency)).size > 1) {
      throw new BusinessRuleError({
        status: 409,
        code: 'mixed-currencies',
        detail: 'The currencies differ.',
      });
    }
    const moved = await this.database.query<{ id: string; version: number }>({
      name: 'accounts-move',
      text: `UPDATE accounts SET balance = balance + change, version = version + 1, updated_at = now()
             FROM unnest($1::uuid[], $2::bigint[]) AS moved (id, change)
             WHERE accounts.id = moved.id RETURNING accounts.id, version`,
      values: [ids, ids.map((id) => changes.get(id))],
    });
    this.outdate(moved);
  }

  /** @throws ClientError 404 `account-not-found`, also for somebody else's */
  async requireOwn(ownerId: string, id: string): Promise<{ currency: string }> {
    const row = await this.row(id);
    if (row?.ownerId !== ownerId) throw accountNotFound();
    return row;
  }

  /** Lines of CSV. @throws ClientError 404 `account-not-found`, also for somebody else's */
  async statement(ownerId: string, id: string): Promise<AsyncGenerator<string>> {
    await this.requireOwn(ownerId, id);
    const statement = {
      text: 'SELECT id, parts FROM transfers WHERE from_id = $1 ORDER BY id',
      values: [id],
    };
    const batches = streamRows<{ id: string; parts: { amount: number }[] }>(this.pool, statement, 100);
    return (async function* () {
      yield 'transfer,amount\r\n';
      for await (const rows of batches)
        yield rows.map(({ id: transfer, parts }) => `${transfer},${totalOf(parts)}\r\n`).join('');
    })();
  }

  private outdate(changed: { id: string; version: number }[]): void {
    this.unitOfWork.afterCommit(() => {
      for (const { id, version } of changed) this.accounts.outdate(id, version);
      this.pages.outdateAll();
    });
  }

  protected row(id: string): Promise<AccountRow | undefined> {
    const text = `SELECT ${COLUMNS} FROM accounts WHERE id = $1`;
    return this.database.queryOne({ name: 'accounts-find', text, values: [id] });
  }

  private rows(limit: number, before?: string): Promise<AccountRow[]> {
    return this.database.read({
      name: before ? 'accounts-page-after' : 'accounts-page-first',
      text: `SELECT ${COLUMNS} FROM accounts ${before ? 'WHERE id < $2' : ''} ORDER BY id DESC LIMIT $1`,
      values: before ? [limit + 1, before] : [limit + 1],
    });
  }
}

export function totalOf(parts: { amount: number }[]): number {
  return parts.reduce((total, { amount }) => total + amount, 0);
}

function present({ id, name, note, balance, currency, updatedAt }: AccountRow): AccountDto {
  return { id, name, note, balance: { amount: balance, currency }, updatedAt: updatedAt.toISOString() };
}

/** The letter stands for the shape: a copy of another release in another shape is not to be used. */
function etagOf(version: number): string {
  return `"a${version}"`;
}

function render(row: AccountRow): RenderedAccount {
  const { id, version } = row;
  return { id, version, etag: etagOf(version), body: JSON.stringify(present(row)) };
}

function accountNotFound(): ClientError {
  return new ClientError({ status: 404, code: 'account-not-found', detail: 'There is no such account.' });
}
