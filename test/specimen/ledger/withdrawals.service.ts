import { Inject, Injectable } from '@nestjs/common';
import { Settings } from '../../../src/config/index.js';
import { RequestContext } from '../../../src/platform/context/index.js';
import { Database, newId, UnitOfWork } from '../../../src/platform/database/index.js';
import {
  BusinessRuleError,
  ClientError,
  NotAttemptedError,
  TransientError,
} from '../../../src/platform/errors/index.js';
import type { Answer, ResumableWork } from '../../../src/platform/idempotency/index.js';
import { Scheduled } from '../../../src/platform/messaging/index.js';
import { AccountsService } from './accounts.service.js';
import { BankClient, type Verdict } from './bank.client.js';
import type { WithdrawalDto, WithdrawalStatus, WithdrawDto } from './ledger.dto.js';

interface WithdrawalRow {
  id: string;
  ownerId: string;
  accountId: string;
  amount: number;
  currency: string;
  method: string;
  status: WithdrawalStatus;
}

interface Started {
  id: string;
  row: WithdrawalRow;
  resumed: boolean;
  /** On `performance.now()`'s clock: a process that was frozen must not ask for what was given up meanwhile. */
  askBefore: number;
}

/** What a withdrawal takes besides the bank's time. */
const BOOKKEEPING_MS = 2000;
const COLUMNS = `id, owner_id AS "ownerId", account_id AS "accountId", amount, currency, method, status`;

/** Money that is paid out by a bank, which may not say whether it has done so. */
@Injectable()
export class WithdrawalsService {
  private readonly leaseMs: number;
  private readonly settleAfterMs: number;

  constructor(
    private readonly database: Database,
    private readonly accounts: AccountsService,
    private readonly bank: BankClient,
    private readonly unitOfWork: UnitOfWork,
    @Inject(Settings) { ledger }: Settings,
  ) {
    this.leaseMs = ledger.bankTimeoutMs + 2 * BOOKKEEPING_MS;
    this.settleAfterMs = ledger.settleAfterSeconds * 1000;
  }

  /**
   * What it takes to pay out: 201 when the bank has paid, 402 when it declined, 202 when that is not known yet.
   * @throws ClientError 404 `account-not-found`, 422 `method-refused`; BusinessRuleError 402 `withdrawal-declined`,
   *   409 `insufficient-funds`; NotAttemptedError 503 when the bank could not be asked
   */
  withdrawal(
    ownerId: string,
    accountId: string,
    body: WithdrawDto,
  ): ResumableWork<Started, Verdict | undefined> {
    return {
      leaseMs: this.leaseMs,
      begin: (earlier) => (earlier ? this.resume(earlier) : this.begin(ownerId, accountId, body)),
      perform: (started) => this.ask(started),
      finish: async ({ row }, verdict) => answerFor(await this.settle(row, verdict ?? 'unknown')),
      abandon: async ({ row }) => {
        const text = `DELETE FROM withdrawals WHERE id = $1 AND status = 'pending'`;
        if (!(await this.database.execute({ text, values: [row.id] }))) return false;
        await this.giveBack(row);
        return true;
      },
    };
  }

  /** @throws ClientError 404 `withdrawal-not-found`, also for somebody else's */
  async get(ownerId: string, accountId: string, id: string): Promise<WithdrawalDto> {
    const row = await this.row(id);
    if (row?.ownerId === ownerId && row.accountId === accountId) return present(row);
    throw new ClientError({
      status: 404,
      code: 'withdrawal-not-found',
      detail: 'There is no such withdrawal.',
    });
  }

  /** Asks the bank about withdrawals that nobody has settled. */
  @Scheduled({
    name: 'settle-withdrawals',
    every: ({ ledger }) => Math.min(ledger.settleAfterSeconds * 1000, 5000),
  })
  async settleUnknown(): Promise<void> {
    const due = await this.database.query<WithdrawalRow>({
      text: `SELECT ${COLUMNS} FROM withdrawals WHERE status IN ('pending', 'unknown') AND settle_at < now() LIMIT 100`,
    });
    for (const row of due) {
      const verdict = await this.bank.find(row.id);
      // Never asked, and by now nobody will any more.
      await this.unitOfWork.run(() => this.settle(row, verdict ?? 'declined'));
    }
  }

  private async begin(ownerId: string, accountId: string, { amount, method }: WithdrawDto): Promise<Started> {
    const askBefore = performance.now() + BOOKKEEPING_MS;
    const { currency } = await this.accounts.requireOwn(ownerId, accountId);
    await this.accounts.move(new Map([[accountId, -amount]]));
    const id = newId();
    const row = await this.database.queryOne<WithdrawalRow>({
      text: `INSERT INTO withdrawals (id, owner_id, account_id, amount, currency, method, settle_at)
             VALUES ($1, $2, $3, $4, $5, $6, now() + make_interval(secs => $7 / 1000.0)) RETURNING ${COLUMNS}`,
      values: [id, ownerId, accountId, amount, currency, method, this.leaseMs + this.settleAfterMs],
    });
    return { id, row: row!, resumed: false, askBefore };
  }

  private async resume(id: string): Promise<Started> {
    const askBefore = performance.now() + BOOKKEEPING_MS;
    const row = await this.database.queryOne<WithdrawalRow>({
      text: `UPDATE withdrawals SET settle_at = now() + make_interval(secs => $2 / 1000.0) WHERE id = $1 RETURNING ${COLUMNS}`,
      values: [id, this.leaseMs + this.settleAfterMs],
    });
    return { id, row: row!, resumed: true, askBefore };
  }

  /** @returns what the bank said; undefined when it may have paid or not */
  private async ask({ row, resumed, askBefore }: Started): Promise<Verdict | undefined> {
    if (row.status !== 'pending' && row.status !== 'unknown') return undefined;
    try {
      const gone = RequestContext.current()?.abandoned;
      if (gone || performance.now() > askBefore)
        throw new NotAttemptedError({
          code: 'withdrawal-too-late',
          detail: 'Nothing was paid.',
          cause: gone,
        });
      // From here on the client may leave: what was asked for cannot be called back.
      return await RequestContext.shielded(() => this.bank.pay({ withdrawalId: row.id, ...row }));
    } catch (error) {
      // An earlier attempt may have asked for what this one could not.
      const uncertain = error instanceof TransientError && (resumed || !(error instanceof NotAttemptedError));
      if (uncertain) return undefined;
      throw error;
    }
  }

  /** Settles once: what is settled stays as it is. In the caller's unit of work. */
  private async settle(row: WithdrawalRow, status: Verdict | 'unknown'): Promise<WithdrawalRow> {
    const text = `UPDATE withdrawals SET status = $2, settle_at = least(settle_at, now() + make_interval(secs => $3 / 1000.0))
                  WHERE id = $1 AND status IN ('pending', 'unknown')`;
    const settled = await this.database.execute({ text, values: [row.id, status, this.settleAfterMs] });
    if (settled && status === 'declined') await this.giveBack(row);
    return (await this.row(row.id))!;
  }

  private giveBack({ accountId, amount }: WithdrawalRow): Promise<void> {
    return this.accounts.move(new Map([[accountId, amount]]));
  }

  private row(id: string): Promise<WithdrawalRow | undefined> {
    const text = `SELECT ${COLUMNS} FROM withdrawals WHERE id = $1`;
    return this.database.queryOne({ name: 'withdrawals-find', text, values: [id] });
  }
}

function present({ id, accountId, status, amount }: WithdrawalRow): WithdrawalDto {
  return { id, accountId, status, amount };
}

function answerFor(row: WithdrawalRow): Answer | BusinessRuleError {
  const headers = { Location: `/v1/accounts/${row.accountId}/withdrawals/${row.id}` };
  if (row.status !== 'declined')
    return { status: row.status === 'succeeded' ? 201 : 202, headers, body: present(row) };
  const extensions = { withdrawal: present(row) };
  const detail = 'The withdrawal was declined. Nothing was paid.';
  return new BusinessRuleError({ status: 402, code: 'withdrawal-declined', detail, extensions, headers });
}
