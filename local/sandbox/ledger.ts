import { randomBytes } from 'node:crypto';
import { appendFileSync, existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { isDeepStrictEqual } from 'node:util';

export interface ChargeRequest {
  amount: number;
  currency: string;
  paymentMethod: string;
  reference: string;
}

export interface Charge extends ChargeRequest {
  id: string;
  idempotencyKey: string;
  status: 'succeeded' | 'declined' | 'processing';
  declineCode?: string;
  createdAt: string;
}

export type Recorded = { outcome: 'new' | 'repeated'; charge: Charge } | { outcome: 'conflict' };

/** The provider's books: every payment of the product must end up as recorded here. */
export class Ledger {
  private readonly byKey = new Map<string, Charge>();
  private readonly charged = new Map<string, number>();
  private readonly attempts = new Map<string, number>();
  private readonly file: string | undefined;

  /** @param file keeps the charges over a restart, one JSON line each. */
  constructor(file?: string) {
    this.file = file;
    if (!file || !existsSync(file)) return;
    for (const line of readFileSync(file, 'utf8').split('\n').filter(Boolean)) {
      this.remember(JSON.parse(line) as Charge);
    }
  }

  /** Counts a request for a charge, whatever its outcome. */
  countAttempt(idempotencyKey: string): void {
    this.attempts.set(idempotencyKey, (this.attempts.get(idempotencyKey) ?? 0) + 1);
  }

  record(idempotencyKey: string, request: ChargeRequest, status: Charge['status'] = 'succeeded'): Recorded {
    const earlier = this.byKey.get(idempotencyKey);
    if (earlier) {
      const { amount, currency, paymentMethod, reference } = earlier;
      const same = isDeepStrictEqual({ amount, currency, paymentMethod, reference }, request);
      return same ? { outcome: 'repeated', charge: earlier } : { outcome: 'conflict' };
    }
    const charge: Charge = {
      id: `ch_${randomBytes(12).toString('hex')}`,
      idempotencyKey,
      status,
      ...request,
      ...(status === 'declined' && { declineCode: 'card_declined' }),
      createdAt: new Date().toISOString(),
    };
    this.remember(charge);
    if (this.file) {
      mkdirSync(dirname(this.file), { recursive: true });
      appendFileSync(this.file, `${JSON.stringify(charge)}\n`);
    }
    return { outcome: 'new', charge };
  }

  find(idempotencyKey: string): Charge | undefined {
    return this.byKey.get(idempotencyKey);
  }

  get charges(): Charge[] {
    return [...this.byKey.values()];
  }

  /** How often each key was charged (must be 1) and requested, and how often money was taken for each reference. */
  summary(): {
    charges: Charge[];
    timesCharged: Record<string, number>;
    attempts: Record<string, number>;
    succeededByReference: Record<string, number>;
  } {
    const succeededByReference: Record<string, number> = {};
    for (const charge of this.charges) {
      if (charge.status !== 'succeeded') continue;
      succeededByReference[charge.reference] = (succeededByReference[charge.reference] ?? 0) + 1;
    }
    return {
      charges: this.charges,
      timesCharged: Object.fromEntries(this.charged),
      attempts: Object.fromEntries(this.attempts),
      succeededByReference,
    };
  }

  clear(): void {
    this.byKey.clear();
    this.charged.clear();
    this.attempts.clear();
    if (this.file) rmSync(this.file, { force: true });
  }

  private remember(charge: Charge): void {
    this.byKey.set(charge.idempotencyKey, charge);
    this.charged.set(charge.idempotencyKey, (this.charged.get(charge.idempotencyKey) ?? 0) + 1);
  }
}
