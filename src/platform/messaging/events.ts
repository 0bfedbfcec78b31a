declare const payloadOf: unique symbol;

/** Something that happens in a feature: its name, its consumers, and (as a type) its payload. */
export interface EventDefinition<P extends object = object> {
  /** `<thing>.<what happened>`, such as `thing.made`. Stable: it is stored and used as a label. */
  readonly name: string;
  /** Queues whose processor handles it, each exactly once. */
  readonly consumers: readonly [string, ...string[]];
  /** Only a type; never set. */
  readonly [payloadOf]?: P;
}

/** An event as a handler gets it. */
export interface DeliveredEvent<P extends object = object> {
  /** The same on every redelivery: the idempotency key for effects outside the database. */
  readonly id: string;
  readonly name: string;
  readonly payload: P;
  /** The subject of the event (such as the thing's id), if the announcer gave one. */
  readonly key: string | null;
  readonly occurredAt: Date;
  /** Of the request that announced it, or the event's own id when there was none. */
  readonly requestId: string;
  /** The queue it was delivered on. */
  readonly consumer: string;
  /** 1 for the first attempt. */
  readonly attempt: number;
  /** The last attempt; an event that fails then is a dead letter. */
  readonly attempts: number;
  /**
   * Aborted when the process ends and can wait no longer. A handler that stops then, with any error, does not count as failed:
   * its event goes back to the queue.
   */
  readonly signal: AbortSignal;
}

/**
 * Declares an event. The feature lists it in `MessagingModule.forFeature`, announces it through `Outbox`, and at start it is checked
 * that each of its consumers has exactly one handler.
 */
export function defineEvent<P extends object>(
  name: string,
  { consumers }: { consumers: readonly [string, ...string[]] },
): EventDefinition<P> {
  return Object.freeze({ name, consumers: Object.freeze([...consumers] as [string, ...string[]]) });
}
