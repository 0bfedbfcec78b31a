import { Connection } from './connection.ts';
import type { Ending } from './connection.ts';
import { judge } from './judge.ts';
import type { StreamPlan } from './plan.ts';
import { now, Recorder } from './recorder.ts';
import { keySequence, prepare } from '../../../local/requests.ts';
import type { PreparedRequest } from '../../../local/requests.ts';

/** How long a closed-loop client waits before it retries a server that does not listen. */
const RETRY_REFUSED_MS = 50;
const SWEEP_MS = 25;
const MOST_CONNECTIONS = 1_000;

interface Request {
  index: number;
  key: string | undefined;
  bytes: string;
  /** The moment it was due. */
  startedAt: number;
}

interface UnderWay {
  connection: Connection;
  deadline: number;
}

/** Drives the traffic of one `StreamPlan` until it is stopped or, with `once`, until everything was answered. */
export class Stream {
  readonly recorder: Recorder;
  readonly finished: Promise<void>;
  private finish!: () => void;
  private readonly plan: StreamPlan;
  private readonly prepared: PreparedRequest[];
  private readonly nextKey = keySequence();
  private readonly expected: ReadonlySet<number>;
  private readonly timeoutMs: number;
  private readonly underWay = new Set<UnderWay>();
  private readonly timers = new Set<NodeJS.Timeout>();
  /** Idle connections of the open loop, by index of the port. */
  private readonly idle: Connection[][];
  private readonly waiting: Request[] = [];
  private connections = 0;
  private clients = 0;
  private sent = 0;
  private stopping = false;
  private sweeper: NodeJS.Timeout | undefined;

  constructor(plan: StreamPlan) {
    this.plan = plan;
    this.recorder = new Recorder(plan.name);
    this.prepared = plan.requests.map((template) => prepare(template, plan.host ?? '127.0.0.1'));
    this.expected = new Set(plan.expected);
    this.timeoutMs = plan.timeoutMs ?? 10_000;
    this.idle = plan.ports.map(() => []);
    this.finished = new Promise((resolve) => {
      this.finish = resolve;
    });
  }

  start(): void {
    this.sweeper = setInterval(() => this.sweep(), SWEEP_MS);
    if (this.plan.pace.kind === 'closed') {
      const { connections } = this.plan.pace;
      this.clients = connections;
      for (let client = 0; client < connections; client += 1) {
        const port = this.plan.ports[client % this.plan.ports.length]!;
        this.nextOf(new Connection(port, { host: this.plan.host }));
      }
    } else {
      this.arrive(now());
    }
  }

  /** Sends no new requests; `finished` when the outstanding ones have been answered. */
  stop(): void {
    this.stopping = true;
    for (const timer of this.timers) clearTimeout(timer);
    this.finishIfDone();
  }

  // The closed loop: each client sends its next request when it has its answer.

  private nextOf(connection: Connection): void {
    const request = this.stopping ? undefined : this.take(now());
    if (!request) {
      connection.close();
      this.clients -= 1;
      this.finishIfDone();
      return;
    }
    const { pauseMs = 0 } = this.plan.pace as { pauseMs?: number };
    this.send(connection, request, (ending) => {
      if (ending.kind !== 'connect-refused') {
        if (pauseMs > 0) this.later(pauseMs, () => this.nextOf(connection));
        else this.nextOf(connection);
      } else if (this.plan.whenRefused === 'leave') {
        this.clients -= 1;
        this.finishIfDone();
      } else this.later(RETRY_REFUSED_MS, () => this.nextOf(connection));
    });
  }

  // The open loop: requests are sent when they are due.

  private arrive(dueAt: number): void {
    const { pace } = this.plan;
    if (pace.kind !== 'open' || this.stopping) return;
    const interval = 1_000 / pace.perSecond;
    let due = dueAt;
    const present = now();
    this.recorder.lagMs = Math.max(this.recorder.lagMs, present - dueAt);
    while (due <= present) {
      const request = this.take(due);
      if (!request) return this.finishIfDone();
      this.dispatch(request, pace.connections ?? MOST_CONNECTIONS);
      due += interval;
    }
    this.later(Math.max(0, Math.floor(due - now())), () => this.arrive(due));
  }

  private dispatch(request: Request, mostConnections: number): void {
    const { ports, host, halfFresh } = this.plan;
    const fresh = halfFresh === true && this.sent % 2 === 0;
    // With `halfFresh`, two requests in a row belong to one port.
    const lane = (halfFresh ? Math.floor(this.sent / 2) : this.sent) % ports.length;
    if (fresh) return this.sendOnce(new Connection(ports[lane]!, { host, fresh }), request);
    let connection = this.idle[lane]!.pop();
    if (!connection && this.connections < mostConnections) {
      this.connections += 1;
      connection = new Connection(ports[lane]!, { host });
    }
    if (connection) this.sendOpen(connection, lane, request);
    else this.waiting.push(request);
  }

  private sendOnce(connection: Connection, request: Request): void {
    this.send(connection, request, () => {
      connection.close();
      this.finishIfDone();
    });
  }

  private sendOpen(connection: Connection, lane: number, request: Request): void {
    this.send(connection, request, () => {
      const next = this.waiting.shift();
      if (next) this.sendOpen(connection, lane, next);
      else this.idle[lane]!.push(connection);
      this.finishIfDone();
    });
  }

  // Both.

  private take(dueAt: number): Request | undefined {
    const { prepared } = this;
    if (this.plan.once && this.sent >= prepared.length) return undefined;
    const index = this.sent % prepared.length;
    this.sent += 1;
    const { before, after, key: wanted } = prepared[index]!;
    const key = wanted === true ? this.nextKey() : wanted;
    return { index, key, bytes: wanted === true ? before + key + after : before, startedAt: dueAt };
  }

  private send(connection: Connection, request: Request, then: (ending: Ending) => void): void {
    const underWay = { connection, deadline: request.startedAt + this.timeoutMs };
    this.underWay.add(underWay);
    connection.send(request.bytes, (ending) => {
      this.underWay.delete(underWay);
      this.ended(request, ending, connection.port);
      then(ending);
    });
  }

  private ended(request: Request, ending: Ending, port: number): void {
    const endedAt = now();
    const { startedAt, index, key } = request;
    const { outcome, status, location, detail, code } = judge(ending, this.expected);
    this.recorder.record({ outcome, status, startedAt, endedAt, code });
    if (outcome !== 'ok' && outcome !== 'refused') {
      const { label } = this.prepared[index]!;
      this.recorder.sample({ kind: outcome, at: endedAt, request: label, detail: detail ?? '' });
    }
    if (ending.kind === 'reset' || ending.kind === 'connect-refused') {
      this.recorder.lost({ kind: ending.kind, startedAt, at: endedAt, port, fresh: ending.fresh });
    }
    if (this.plan.journal) {
      this.recorder.journal.push({ request: index, key, startedAt, endedAt, outcome, status, location });
    }
  }

  /** A timer per request would cost more than the request. */
  private sweep(): void {
    const present = now();
    for (const { connection, deadline } of this.underWay) {
      if (deadline <= present) connection.giveUp();
    }
    while (this.waiting[0] && this.waiting[0].startedAt + this.timeoutMs <= present) {
      this.expire(this.waiting.shift()!);
    }
  }

  private expire(request: Request): void {
    this.ended(request, { kind: 'timeout', detail: 'no connection was free in time', fresh: true }, 0);
  }

  private later(ms: number, work: () => void): void {
    const timer = setTimeout(() => {
      this.timers.delete(timer);
      // Timers come before input in a turn of the event loop: on a busy machine a connection would be used again that the server
      // had closed long before. The next request on one that an api closed at the end of its drain counted as failed.
      setImmediate(work);
    }, ms);
    this.timers.add(timer);
  }

  private finishIfDone(): void {
    const allSent = this.stopping || (this.plan.once && this.sent >= this.prepared.length);
    if (!allSent || this.underWay.size > 0 || this.waiting.length > 0) return;
    if (this.plan.pace.kind === 'closed' && this.clients > 0 && !this.stopping) return;
    clearInterval(this.sweeper);
    for (const lane of this.idle) for (const connection of lane) connection.close();
    this.finish();
  }
}
