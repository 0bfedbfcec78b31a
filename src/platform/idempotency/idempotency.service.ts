import { Injectable } from '@nestjs/common';
import { RequestContext } from '../context/index.js';
import { UnitOfWork } from '../database/index.js';
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

/** Work that cannot be one transaction, because it calls somebody over the network. */
export interface ResumableWork<Started extends { id: string }, Outcome> {
  /**
   * Milliseconds after which a process that works on it is taken for dead, and a repetition may take over. Should it live, it
   * neither finishes nor abandons anything any more.
   */
  leaseMs: number;
  /**
   * In the unit of work that records the key as under way.
   * @param earlier id of what an earlier attempt started and never finished: go on with it, start nothing new
   */
  begin(earlier: string | undefined): Promise<Started>;
  /**
   * Outside of any unit of work. May be done twice for the same `Started.id`, so must be idempotent by it.
   * Throws `NotAttemptedError` or `ClientError` when it is certain that nothing has happened, also not in an earlier
   * attempt. After any other error the key stays taken until the lease is over.
   */
  perform(started: Started): Promise<Outcome>;
  /** In the unit of work that records the answer. A refusal is returned, not thrown: what it settles must be committed. */
  finish(started: Started, outcome: Outcome): Promise<Answer | BusinessRuleError>;
  /** In a unit of work that frees the key, after `perform` threw: nothing has happened, so nothing must remain. */
  abandon(started: Started): Promise<void>;
}

/**
 * Requests that can be repeated safely, after draft-ietf-httpapi-idempotency-key-header-07: whoever repeats one with the
 * same key gets the first answer again, and the effect is there once.
 *
 * Stored are successes and permanent refusals (`BusinessRuleError`). A caller's mistake is not, so that it can be
 * corrected under the same key; nor is a 5xx, so that it can be repeated.
 *
 * A repetition never waits for the first request: duplicates by the thousand would otherwise hold all connections. In
 * the same process it is turned away before it takes a connection, between processes by an advisory lock.
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
   * @param request undefined where the key is optional and not given: then nothing is recorded
   * @throws ClientError 422 `idempotency-key-reused`; BusinessRuleError 409 `idempotency-key-in-use`; what `effect` throws
   */
  async once(request: IdempotentRequest | undefined, effect: () => Promise<Answer>): Promise<RecordedAnswer> {
    if (!request) return recordedAnswer(await this.unitOfWork.run(effect));
    return this.alone(request, async (key) => {
      try {
        return await this.claiming(key, async (earlier) => {
          if (earlier) return replayOf(earlier);
          const answer = recordedAnswer(await effect());
          await this.records.insertFinished(key, answer);
          return answer;
        });
      } catch (error) {
        return this.refused(request, key, error);
      }
    });
  }

  /**
   * Runs work that leaves the database, in three steps that each may be the last one of this process: begun, performed,
   * finished. Whoever repeats the request after a crash takes over where it stopped, with the same id.
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
          await work.abandon(started);
          await this.records.remove(key);
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
   * does not know that another one is at work: had it abandoned what that one was charging, the next retry would charge again.
   * What has happened out there is recorded even when the client has gone meanwhile.
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
        if (!earlier?.reference || !earlier.locked_until) {
          const started = await work.begin(undefined);
          return { started, lease: await this.records.insertRunning(key, started.id, work.leaseMs) };
        }
        // First the record, then what it stands for, as the end of an attempt does: nobody waits in a circle.
        const overdue = { reference: earlier.reference, until: earlier.locked_until };
        const lease = await this.records.takeOver(key, overdue, work.leaseMs);
        if (!lease) throw inUse();
        return { started: await work.begin(lease.reference), lease };
      });
    } catch (error) {
      return this.refused(request, key, error);
    }
  }

  /** Runs `work` in a unit of work that has taken the key, with what there is under it. */
  private claiming<T>(key: RecordKey, work: (earlier: FoundRecord | undefined) => Promise<T>): Promise<T> {
    return this.unitOfWork.run(
      ([locked, found]) => {
        if (!locked) throw inUse();
        if (found && found.fingerprint !== key.fingerprint) throw reused();
        return work(found);
      },
      { first: () => Promise.all([this.records.tryLock(key), this.records.find(key)]) },
    );
  }

  /**
   * Records a permanent refusal, in a unit of work of its own because its effect was rolled back, and throws it.
   * @returns the answer of a repetition that was faster in between
   * @throws `error`
   */
  private async refused(request: IdempotentRequest, key: RecordKey, error: unknown): Promise<RecordedAnswer> {
    if (!(error instanceof BusinessRuleError) || error.code === IN_USE) throw error;
    const faster = await this.claiming(key, async (earlier) => {
      if (earlier?.locked) throw inUse();
      if (earlier?.status) return replayOf(earlier);
      await this.records.insertFinished(key, recordedRefusal(error, request));
      return undefined;
    });
    if (faster) return faster;
    throw error;
  }

  /** Turns duplicates in this process away at once, before they take a connection. */
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
    code: IN_USE,
    detail: 'A request with this Idempotency-Key is still being worked on. Repeat it in a moment.',
    headers: { 'Retry-After': '1' },
  });
}

function reused(): ClientError {
  return new ClientError({
    status: 422,
    code: 'idempotency-key-reused',
    detail: 'This Idempotency-Key was used for another payload. A new operation needs a new key.',
  });
}
