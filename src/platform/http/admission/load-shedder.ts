import type { IncomingMessage, ServerResponse } from 'node:http';
import type { RouteOptions } from 'fastify';
import { newId } from '../../context/index.js';
import { TransientError } from '../../errors/index.js';
import { isPreflight } from '../headers/cors.js';
import type { InFlight } from './in-flight.js';
import { patternOf } from '../routes/route-table.js';
import { writtenProblem } from '../problems/problem-format.js';
import { ADMITTED_UP_TO, type RoutePriority } from '../routes/priority.js';

/**
 * How often the limit is adapted, in milliseconds. The lateness of this timer is the event loop's delay; Node's own histogram
 * loses its samples when it is read and reset this often.
 */
const ADAPT_EVERY_MS = 50;
/** How often rejections are reported, in milliseconds. */
const REPORT_EVERY_MS = 1000;
/** The limit never falls below this share of its maximum: some work is always done. */
const FLOOR = 0.1;

interface Route {
  method: string;
  pattern: RegExp;
  priority: RoutePriority;
  /** Mostly served without the database. */
  cached: boolean;
  needsHeader?: string;
}

const UNKNOWN = { priority: 'low', cached: false } as const;

export interface Shedding {
  /** The current limit of requests in flight. */
  limit: number;
  inFlight: number;
  /** Requests rejected since the start, by priority. */
  shed: Record<RoutePriority, number>;
}

/**
 * Keeps an overloaded process at its best throughput by rejecting excess requests at once and cheaply: before routing, hooks and
 * parsing of the body, because at four times capacity most of the work is rejecting.
 *
 * The number of requests in flight is limited; the limit shrinks by a tenth while the event loop is late and grows back slowly
 * (additive increase, multiplicative decrease, as in TCP and Netflix's concurrency-limits). A request that needs the database is
 * also rejected when its wait for a connection would time out: it would get the same 503, after most of the work. Low priorities
 * are rejected at a lower level of either limit, so they go first.
 */
export class LoadShedder {
  private readonly routes: Route[] = [];
  private readonly timer: NodeJS.Timeout;
  private readonly shed: Record<RoutePriority, number> = { low: 0, normal: 0, critical: 0 };
  private databaseLoad: () => number = () => 0;
  private limit: number;
  private adaptedAt = performance.now();
  private reportedAt = performance.now();
  private unreported: Record<RoutePriority, number> = { low: 0, normal: 0, critical: 0 };
  private readonly listeners: ((shed: Record<RoutePriority, number>) => void)[] = [];

  /**
   * @param inFlight the requests in flight
   * @param maxInFlight the limit while the event loop keeps up
   * @param maxDelayMs event-loop delay above which the limit shrinks
   */
  constructor(
    private readonly inFlight: InFlight,
    private readonly maxInFlight: number,
    private readonly maxDelayMs: number,
  ) {
    this.limit = maxInFlight;
    this.timer = setInterval(() => this.adapt(), ADAPT_EVERY_MS);
    this.timer.unref();
  }

  /** Records a route's priority; call it for each registered route. */
  learn({ method, url, config }: RouteOptions): void {
    const { priority = 'normal', cached = false, needsHeader } = config ?? {};
    for (const verb of [method].flat()) {
      this.routes.push({ method: verb, pattern: patternOf(url), priority, cached, needsHeader });
    }
  }

  /** @param load how full the queue of the database is; asked for each request, so it must cost nothing */
  watchDatabase(load: () => number): void {
    this.databaseLoad = load;
  }

  /**
   * Admits a request whose head has arrived, or answers it with 503 and `Retry-After` at once, before its body is read. @returns
   * whether the request is admitted
   */
  admit(request: IncomingMessage, response: ServerResponse): boolean {
    if (this.isTooMuch(request)) {
      refuse(request, response);
      return false;
    }
    return true;
  }

  /**
   * Gives a slot to a request that has arrived completely. Many admitted requests may have sent the last byte of their body at
   * the same time.
   * @returns the error to answer with when there is no slot
   */
  start(request: IncomingMessage, response: ServerResponse): TransientError | undefined {
    if (this.isTooMuch(request)) return REFUSAL;
    this.inFlight.add(response);
    return undefined;
  }

  private isTooMuch(request: IncomingMessage): boolean {
    const own = this.inFlight.size / this.limit;
    const load = Math.max(own, this.databaseLoad());
    // A preflight costs no more than its rejection, of which a script could read neither the status nor `Retry-After`: a browser
    // reports it as a broken connection. The request itself is then served or rejected by its own priority.
    if (load < ADMITTED_UP_TO.low || isPreflight(request)) return false;
    const { priority, cached } = this.routeOf(request);
    if ((cached ? own : load) < ADMITTED_UP_TO[priority]) return false;
    this.shed[priority] += 1;
    this.unreported[priority] += 1;
    return true;
  }

  /**
   * Calls `listener` at most once a second with the rejections since the last time. A log line for each rejection would be most
   * of the work of an overloaded process.
   */
  onShed(listener: (shed: Record<RoutePriority, number>) => void): void {
    this.listeners.push(listener);
  }

  get state(): Shedding {
    return { limit: Math.round(this.limit), inFlight: this.inFlight.size, shed: { ...this.shed } };
  }

  close(): void {
    clearInterval(this.timer);
  }

  private adapt(): void {
    const now = performance.now();
    const delayMs = now - this.adaptedAt - ADAPT_EVERY_MS;
    this.adaptedAt = now;
    if (delayMs > this.maxDelayMs) this.limit = Math.max(this.maxInFlight * FLOOR, this.limit * 0.9);
    else this.limit = Math.min(this.maxInFlight, this.limit + this.maxInFlight * 0.02);
    this.report(now);
  }

  private report(now: number): void {
    const { low, normal, critical } = this.unreported;
    if (now - this.reportedAt < REPORT_EVERY_MS || low + normal + critical === 0) return;
    this.reportedAt = now;
    for (const listener of this.listeners) listener(this.unreported);
    this.unreported = { low: 0, normal: 0, critical: 0 };
  }

  private routeOf({ method, url = '/', headers }: IncomingMessage): Pick<Route, 'priority' | 'cached'> {
    const end = url.indexOf('?');
    const path = end === -1 ? url : url.slice(0, end);
    const known = this.routes.find((route) => route.method === method && route.pattern.test(path));
    if (known?.needsHeader !== undefined && headers[known.needsHeader] === undefined) return UNKNOWN;
    return known ?? UNKNOWN;
  }
}

/** The answer to all rejected requests; only the id and the path differ. */
const REFUSAL = new TransientError({
  /** The server is overloaded and has rejected the request unprocessed. Retry with backoff. */
  code: 'temporary-reduced-capacity',
  detail: 'The server is overloaded. Retry later.',
});
/**
 * Parts of the body: constant texts, with the varying values between them. Created when first needed, because the product defines
 * the format of errors.
 */
let refusal: { contentType: string; parts: string[] } | undefined;

function refusalParts(): { contentType: string; parts: string[] } {
  if (!refusal) {
    const { contentType, body } = writtenProblem(REFUSAL, '\0id', '\0instance');
    refusal = { contentType, parts: body.split(/\\u0000(id|instance)/) };
  }
  return refusal;
}

/** Written directly, without Fastify, from parts made once: rejecting must cost a fraction of serving. */
function refuse(request: IncomingMessage, response: ServerResponse): void {
  const requestId = newId();
  const path = (request.url ?? '/').split('?', 1)[0] ?? '/';
  const { contentType, parts } = refusalParts();
  const inJson = { id: requestId, instance: JSON.stringify(path).slice(1, -1) };
  const body = parts.map((part, at) => (at % 2 === 0 ? part : inJson[part as 'id' | 'instance'])).join('');
  response
    .writeHead(503, {
      'Content-Type': contentType,
      'Content-Length': Buffer.byteLength(body),
      'Retry-After': String(REFUSAL.retryAfterSeconds),
      'Cache-Control': 'no-store',
      'X-Request-Id': requestId,
    })
    .end(body);
  // The unread body must not block the connection's next request.
  request.resume();
}
