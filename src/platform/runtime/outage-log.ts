/** The methods that a logger needs; Nest's has them. */
interface OutageLogger {
  warn(details: object, message: string): void;
  log(message: string): void;
}

export interface OutageOptions {
  /** The line for its start: what is unavailable, and what happens meanwhile. */
  begins: string;
  /** The line for its end. Default: none. */
  ends?: string;
  /** Milliseconds without a failure after which it is over, where `recovered` is not called. */
  endsAfterMs?: number;
}

/** A failure with more information than that there is an outage. */
export interface KnownFailure {
  /** Replaces the usual line, such as with what an operator has to do. */
  message?: string;
  /** Each kind is reported once per outage. Default: the message. */
  kind?: string;
  /** Further members of the line. */
  details?: Record<string, unknown>;
}

/** With more kinds than this, the kinds are useless: something in them is different each time. */
const MOST_KINDS = 100;

/** Reports an outage in one line, however many calls fail, and its end in another one. */
export class OutageLog {
  private readonly reported = new Set<string>();
  private lastFailureAt = -Infinity;

  constructor(
    private readonly logger: OutageLogger,
    private readonly options: OutageOptions,
  ) {}

  /** Call it with every failure. */
  failed(error: unknown, { message, kind = message, details }: KnownFailure = {}): void {
    const { begins, endsAfterMs = Infinity } = this.options;
    const now = performance.now();
    if (now - this.lastFailureAt > endsAfterMs || this.reported.size > MOST_KINDS) this.reported.clear();
    this.lastFailureAt = now;
    if (kind === undefined ? this.reported.size > 0 : this.reported.has(kind)) return;
    this.reported.add(kind ?? begins);
    this.logger.warn({ ...details, err: error }, message ?? begins);
  }

  /** Call it with every success. */
  recovered(): void {
    if (this.reported.size === 0) return;
    this.reported.clear();
    if (this.options.ends) this.logger.log(this.options.ends);
  }
}
