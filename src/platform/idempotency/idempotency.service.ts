import { Injectable } from '@nestjs/common';
import { RequestContext } from '../context/index.js';
import { UnitOfWork, type UnitOfWorkOptions } from '../database/index.js';
import { BusinessRuleError, ClientError, NotAttemptedError } from '../errors/index.js';
import { recordedAnswer, recordedRefusal, type Answer, type RecordedAnswer } from './answer.js';
import { fingerprintOf } from './fingerprint.js';
import {
  IdempotencyRepository,
  type FoundRecord,
  type Lease,
  type RecordKey,
} from './idempotency.repository.js';
import type { IdempotentRequest } from './idempotent-request.js';

const IN_USE = 'idempotency-key-in-use';

/** Work that cannot be one transaction, because it includes a call over the network. */
export interface ResumableWork<Started extends { id: string }, Outcome> {
  /**
   * Milliseconds after which a process that works on it counts as dead, and a retry may take over. If it still lives, it can
   * neither finish nor abandon anything.
   */
  leaseMs: number;
  /**
   * In the unit of work that records the key as running.
   * @param earlier id of what an earlier attempt started and never finished: continue with it, start nothing new
   */
  begin(earlier: string | undefined): Promise<Started>;
  /**
   * Outside of any unit of work. May run twice for the same `Started.id`, so it must be idempotent by that id.
   * Throws `NotAttemptedError` or `ClientError` when it is certain that nothing has happened, also not in an earlier
   * attempt. After any other error the key stays in use until the lease is over.
   */
  perform(started: Started): Promise<Outcome>;
  /**
   * In the unit of work that records the answer. A business rule's error is returned, not thrown, because its changes must be
   * committed.
   */
  finish(started: Started, outcome: Outcome): Promise<Answer | BusinessRuleError>;
  /**
   * In a unit of work that frees the key, after `perform` threw: nothing has happened, so nothing must remain.
   * @returns false when something remains all the same, because a reconciliation has settled it meanwhile. Then the key is kept, and
   *   the next retry continues with it; freed, it would begin a second one.
   */
  abandon(started: Started): Promise<boolean>;
}

/**
 * Requests that can be retried safely, after draft-ietf-httpapi-idempotency-key-header-07: a retry with the same key gets the
 * first answer again, and the effect happens once.
 *
 * Successes and permanent errors (`BusinessRuleError`) are stored. A caller's mistake is not, so that it can be corrected under
 * the same key; nor is a 5xx, so that it can be retried.
 *
 * A duplicate never waits for the first request: thousands of duplicates would otherwise hold all connections. In the same
 * process it is rejected before it takes a connection, between processes by an advisory lock.
 */
@Injectable()
export class Idempotency {
  /** Keys that this process is working on, with the fingerprint of the payload. */
  private readonly running = new Map<string, string>();

  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly records: IdempotencyRepository,
  ) {}

  /**
   * Runs `effect` in a unit of work that also commits the record of its answer.
   * @param request undefined where the key is optional and absent: then nothing is recorded
   * @throws ClientError 422 `idempotency-key-reused`; BusinessRuleError 409 `idempotency-key-in-use`; what `effect` throws
   */
  async once(request: IdempotentRequest | undefined, effect: () => Promise<Answer>): Promise<RecordedAnswer> {
    if (!request) return recordedAnswer(await this.unitOfWork.run(effect));
    return this.alone(request, async (key) => {
      try {
        return await this.recording(key, async (earlier) =>
          earlier ? replayOf(earlier) : recordedAnswer(await effect()),
        );
      } catch (error) {
        return this.refused(request, key, error);
      }
    });
  }

  /**
   * Runs work outside the database, in three steps, each of which may be the last one of this process: begin, perform, finish. A
   * retry of the request after a crash continues where it stopped, with the same id.
   * @throws as `once`; BusinessRuleError also when `finish` returned one
   */
  async resumable<Started extends { id: string }, Outcome>(
    request: IdempotentRequest,
    work: ResumableWork<Started, Outcome>,
  ): Promise<RecordedAnswer> {
    return this.alone(request, async (key) => {
      const begun = await this.begin(request, key, work);
      if ('replayed' in begun) return begun;
      const { started, lease } = begun;
      let outcome: Outcome;
      try {
        outcome = await work.perform(started);
      } catch (error) {
        if (!(error instanceof NotAttemptedError || error instanceof ClientError)) throw error;
        const abandoned = this.asHolder(key, lease, async () => {
          if (await work.abandon(started)) await this.records.remove(key);
          return true;
        });
        if (await abandoned) throw error;
        return this.ofSuccessor(key);
      }
      const answer = await this.asHolder(key, lease, async () => {
        const result = await work.finish(started, outcome);
        const recorded =
          result instanceof BusinessRuleError ? recordedRefusal(result, request) : recordedAnswer(result);
        await this.records.finish(key, recorded);
        return { result, recorded };
      });
      if (!answer) return this.ofSuccessor(key);
      if (answer.result instanceof BusinessRuleError) throw answer.result;
      return answer.recorded;
    });
  }

  /**
   * Runs the end of an attempt in a unit of work, if this attempt still holds the key. A process that was frozen past its lease
   * does not know that another one is working: if it abandoned what that one is charging, the next retry would charge again. The
   * outcome is recorded even when the client has disconnected meanwhile.
   * @returns undefined when another attempt has taken over; then nothing was changed
   */
  private asHolder<T>(key: RecordKey, lease: Lease, work: () => Promise<T>): Promise<T | undefined> {
    return RequestContext.shielded(() =>
      this.unitOfWork.run((held) => (held ? work() : Promise.resolve(undefined)), {
        first: () => this.records.hold(key, lease),
      }),
    );
  }

  /** The answer of the attempt that took over. @throws BusinessRuleError 409 `idempotency-key-in-use` while there is none */
  private async ofSuccessor(key: RecordKey): Promise<RecordedAnswer> {
    const record = await RequestContext.shielded(() => this.records.find(key));
    if (!record?.status) throw inUse();
    return replayOf(record);
  }

  private async begin<Started extends { id: string }, Outcome>(
    request: IdempotentRequest,
    key: RecordKey,
    work: ResumableWork<Started, Outcome>,
  ): Promise<RecordedAnswer | { started: Started; lease: Lease }> {
    try {
      return await this.claiming(key, async (earlier) => {
        if (earlier?.status) return replayOf(earlier);
        if (earlier?.locked) throw inUse();
        if (!earlier?.reference || !earlier.lockedUntil) {
          const started = await work.begin(undefined);
          return { started, lease: await this.records.insertRunning(key, started.id, work.leaseMs) };
        }
        // First the record, then its subject, as at the end of an attempt: the same order of locks avoids deadlocks.
        const overdue = { reference: earlier.reference, until: earlier.lockedUntil };
        const lease = await this.records.takeOver(key, overdue, work.leaseMs);
        if (!lease) throw inUse();
        return { started: await work.begin(lease.reference), lease };
      });
    } catch (error) {
      return this.refused(request, key, error);
    }
  }

  /** Runs `work` in a unit of work that has locked the key, with the record under it. */
  private claiming<T>(
    key: RecordKey,
    work: (earlier: FoundRecord | undefined) => Promise<T>,
    last?: UnitOfWorkOptions<unknown, T>['last'],
  ): Promise<T> {
    return this.unitOfWork.run(
      ([locked, found]) => {
        if (!locked) throw inUse();
        if (found && found.fingerprint !== key.fingerprint) throw reused();
        return work(found);
      },
      { first: () => Promise.all([this.records.tryLock(key), this.records.find(key)]), last },
    );
  }

  /** The same, which also records the answer that `work` gives, unless that is a replay. */
  private recording(
    key: RecordKey,
    work: (earlier: FoundRecord | undefined) => Promise<RecordedAnswer>,
  ): Promise<RecordedAnswer> {
    return this.claiming(key, work, (answer) =>
      answer.replayed ? undefined : this.records.insertFinished(key, answer),
    );
  }

  /**
   * Records a permanent error, in its own unit of work because its effect was rolled back, and throws it.
   * @returns the answer of a duplicate that was faster in between
   * @throws `error`
   */
  private async refused(request: IdempotentRequest, key: RecordKey, error: unknown): Promise<RecordedAnswer> {
    if (!(error instanceof BusinessRuleError) || error.code === IN_USE) throw error;
    const answer = await this.recording(key, async (earlier) => {
      if (earlier?.locked) throw inUse();
      return earlier?.status ? replayOf(earlier) : recordedRefusal(error, request);
    });
    if (answer.replayed) return answer;
    throw error;
  }

  /** Rejects duplicates in this process at once, before they take a connection. */
  private async alone<T>(request: IdempotentRequest, work: (key: RecordKey) => Promise<T>): Promise<T> {
    const { scope, key, payload } = request;
    const fingerprint = fingerprintOf(payload);
    const id = `${scope} ${key}`;
    const running = this.running.get(id);
    if (running !== undefined) throw running === fingerprint ? inUse() : reused();
    this.running.set(id, fingerprint);
    try {
      return await work({ scope, key, fingerprint });
    } finally {
      this.running.delete(id);
    }
  }
}

function replayOf({ status, headers, body }: FoundRecord): RecordedAnswer {
  return { status: status ?? 200, headers: headers ?? {}, body: body ?? '', replayed: true };
}

function inUse(): BusinessRuleError {
  return new BusinessRuleError({
    status: 409,
    /**
     * A request with the same Idempotency-Key is still being processed. Retry with the same key to get its
     * answer.
     */
    code: IN_USE,
    detail: 'A request with this Idempotency-Key is still being processed. Retry in a moment.',
    headers: { 'Retry-After': '1' },
  });
}

function reused(): ClientError {
  return new ClientError({
    status: 422,
    /** The Idempotency-Key was used with another payload. Use a new key for a new operation. */
    code: 'idempotency-key-reused',
    detail: 'This Idempotency-Key was used with another payload. Use a new key for a new operation.',
  });
}
