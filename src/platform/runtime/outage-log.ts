/** What is asked of a logger; Nest's has it. */
interface OutageLogger {
  warn(details: object, message: string): void;
  log(message: string): void;
}

export interface OutageOptions {
  /** The line of its begin: what is unavailable, and what happens meanwhile. */
  begins: string;
  /** The line of its end. Default: none. */
  ends?: string;
  /** Milliseconds without a failure after which it is over, where nobody calls `recovered`. */
  endsAfterMs?: number;
}

/** A failure of which more is known than that there is an outage. */
export interface KnownFailure {
  /** In place of the usual line, such as what an operator has to do. */
  message?: string;
  /** Each kind is reported once per outage. Default: the message. */
  kind?: string;
  /** Further members of the line. */
  details?: Record<string, unknown>;
}

/** More kinds than this are none: something in them is different each time. */
const MOST_KINDS = 100;

/** Reports an outage in one line, however many calls it fails, and its end in another one. */
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
