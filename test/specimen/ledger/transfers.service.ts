import { Injectable } from '@nestjs/common';
import { Database, newId, UnitOfWork } from '../../../src/platform/database/index.js';
import { ClientError } from '../../../src/platform/errors/index.js';
import { decodeCursor, pageOf, type Page, type PageQuery } from '../../../src/platform/http/index.js';
import { defineEvent, Outbox, OutboxLimit } from '../../../src/platform/messaging/index.js';
import { AccountsService, totalOf } from './accounts.service.js';
import type { MakeTransferDto, TransferDto } from './ledger.dto.js';

interface TransferRow {
  id: string;
  from: string;
  parts: { to: string; amount: number }[];
  createdAt: Date;
}

export interface TransferEvent {
  transferId: string;
  ownerId: string;
  amount: number;
}

export const transferMade = defineEvent<TransferEvent>('transfer.made', { consumers: ['receipts'] });

const COLUMNS = `id, from_id AS "from", parts, created_at AS "createdAt"`;

@Injectable()
export class TransfersService {
  constructor(
    private readonly database: Database,
    private readonly accounts: AccountsService,
    private readonly outbox: Outbox,
    private readonly outboxLimit: OutboxLimit,
    private readonly unitOfWork: UnitOfWork,
  ) {}

  /**
   * Moves the money and announces it, or does neither.
   * @throws ClientError 404 `account-not-found`, 422 `unknown-account`; BusinessRuleError 409 `insufficient-funds`
   */
  async make(ownerId: string, { from, parts }: MakeTransferDto): Promise<TransferDto> {
    this.outboxLimit.requireRoom();
    return this.unitOfWork.run(async () => {
      await this.accounts.requireOwn(ownerId, from);
      const changes = new Map([[from.toLowerCase(), -totalOf(parts)]]);
      for (const { to, amount } of parts)
        changes.set(to.toLowerCase(), (changes.get(to.toLowerCase()) ?? 0) + amount);
      await this.accounts.move(changes);
      const id = newId();
      const [row] = await Promise.all([
        this.database.queryOne<TransferRow>({
          name: 'transfers-insert',
          text: `INSERT INTO transfers (id, owner_id, from_id, parts) VALUES ($1, $2, $3, $4) RETURNING ${COLUMNS}`,
          values: [id, ownerId, from, JSON.stringify(parts)],
        }),
        this.outbox.announce(transferMade, { transferId: id, ownerId, amount: totalOf(parts) }, { key: id }),
      ]);
      return present(row!);
    });
  }

  /** @throws ClientError 404 `transfer-not-found`, also for somebody else's */
  async get(ownerId: string, id: string): Promise<TransferDto> {
    const row = await this.database.queryOne<TransferRow>({
      name: 'transfers-find',
      text: `SELECT ${COLUMNS} FROM transfers WHERE id = $1 AND owner_id = $2`,
      values: [id, ownerId],
    });
    if (!row)
      throw new ClientError({
        status: 404,
        code: 'transfer-not-found',
        detail: 'There is no such transfer.',
      });
    return present(row);
  }

  async list(ownerId: string, { limit, cursor }: PageQuery): Promise<Page<TransferDto>> {
    const [before = null] = decodeCursor<[string]>(cursor, ['uuid']) ?? [];
    const rows = await this.database.query<TransferRow>({
      name: 'transfers-page',
      text: `SELECT ${COLUMNS} FROM transfers WHERE owner_id = $1 AND ($3::uuid IS NULL OR id < $3) ORDER BY id DESC LIMIT $2`,
      values: [ownerId, limit + 1, before],
    });
    return pageOf(rows, limit, ({ id }) => [id], present);
  }
}

function present({ createdAt, ...row }: TransferRow): TransferDto {
  return { ...row, createdAt: createdAt.toISOString() };
}
