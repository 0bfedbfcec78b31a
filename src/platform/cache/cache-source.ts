import { TransientError } from '../errors/index.js';
import { TimedOutError, within } from '../runtime/index.js';

/** In place of a value: the source does not answer. */
export const AWAY = Symbol('away');

/** How long callers that have a stale copy do not wait for a source that failed. */
const SUSPICION_MS = 1000;

/**
 * Where a cache gets its values. It is asked once at a time per key, and watched, so that not every caller has to find out that
 * it does not answer.
 */
export class CacheSource<T> {
  private readonly loads = new Map<string, Promise<T | undefined>>();
  private suspectUntil = 0;
  private probing = false;

  /** @param keep gets what a load has found, unless it was disowned meanwhile */
  constructor(
    private readonly fetch: (key: string) => Promise<T | undefined>,
    private readonly keep: (key: string, value: T | undefined) => void,
  ) {}

  /** Joins the load of this key that is under way, or starts one. @throws what the source throws. */
  load(key: string): Promise<T | undefined> {
    const running = this.loads.get(key);
    if (running) return running;
    const load = this.fetch(key);
    this.loads.set(key, load);
    load.then(
      (value) => {
        this.suspectUntil = 0;
        if (this.loads.get(key) !== load) return;
        this.loads.delete(key);
        this.keep(key, value);
      },
      () => {
        if (this.loads.get(key) === load) this.loads.delete(key);
      },
    );
    return load;
  }

  /**
   * The same for callers that can do without: `AWAY` when the source fails with a transient error, does not answer within
   * `patienceMs`, or has just done so.
   */
  async loadUnlessAway(key: string, patienceMs: number): Promise<T | undefined | typeof AWAY> {
    if (this.probing || performance.now() < this.suspectUntil) {
      this.probe(key);
      return AWAY;
    }
    try {
      return await within(patienceMs, this.load(key));
    } catch (error) {
      if (!(error instanceof TransientError || error instanceof TimedOutError)) throw error;
    }
    this.suspect();
    return AWAY;
  }

  /** Disowns the load of this key: its result may be older than a change. */
  disown(key: string): void {
    this.loads.delete(key);
  }

  disownAll(): void {
    this.loads.clear();
  }

  private suspect(): void {
    this.suspectUntil = performance.now() + SUSPICION_MS;
  }

  /** One load at a time tests whether a suspect source is back. */
  private probe(key: string): void {
    if (this.probing) return;
    this.probing = true;
    this.load(key).then(
      () => {
        this.probing = false;
      },
      () => {
        this.probing = false;
        this.suspect();
      },
    );
  }
}
