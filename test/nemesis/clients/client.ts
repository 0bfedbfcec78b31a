import { Agent } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import type { Operation } from '../history.ts';
import type { Random } from '../random.ts';
import type { History } from '../record.ts';
import { APIS, type ProcessName, type Rig } from '../rig.ts';
import { classify, retryAfterOf } from './classify.ts';
import { send, type Answer, type Ask } from './send.ts';

/** How long a client waits that is in no hurry. Longer than any request may take at the product. */
const PATIENT_MS = 12_000;

export type Asked = Omit<Ask, 'patienceMs'> & { patienceMs?: number };
export type About = Pick<Operation, 'kind' | 'object' | 'key' | 'input'>;

export interface Done {
  operation: Operation;
  /** Undefined when none arrived. */
  answer?: Answer;
}

/** One client with its own connections. It writes down what it does, and decides by its own part of the seed. */
export class Client {
  readonly name: string;
  readonly random: Random;
  readonly history: History;
  private readonly rig: Pick<Rig, 'urlOf' | 'processes'>;
  private readonly agents: ReadonlyMap<string, Agent>;
  private readonly over = new AbortController();
  private readonly headers: Record<string, string>;
  private readonly patient: boolean;

  /**
   * @param headers sent with every request
   * @param patient it waits for every answer, whatever it is told
   */
  constructor(options: {
    name: string;
    random: Random;
    history: History;
    rig: Pick<Rig, 'urlOf' | 'processes'>;
    headers?: Record<string, string>;
    patient?: boolean;
  }) {
    this.name = options.name;
    this.random = options.random.fork(options.name);
    this.history = options.history;
    this.rig = options.rig;
    this.headers = options.headers ?? {};
    this.patient = options.patient ?? false;
    this.agents = new Map(APIS.map((api) => [api, new Agent({ keepAlive: true })]));
  }

  get isOver(): boolean {
    return this.over.signal.aborted;
  }

  /** No further operation begins; a pause ends at once. */
  end(): void {
    this.over.abort();
  }

  close(): void {
    for (const agent of this.agents.values()) agent.destroy();
  }

  anyApi(): string {
    return this.random.pick(APIS);
  }

  /** The running process of an api, which changes with each restart; undefined while there is none. */
  processOf(at: string): string | undefined {
    const process = this.rig.processes.get(at as ProcessName);
    return process?.isRunning ? `${at} ${process.pid}` : undefined;
  }

  /** Waits so long, or until the load is over. */
  async pause(milliseconds: number): Promise<void> {
    await delay(milliseconds, undefined, { signal: this.over.signal }).catch(() => undefined);
  }

  /** Repeats `act`, with short pauses, until the load is over. */
  async loop(pauseMs: readonly [least: number, most: number], act: () => Promise<unknown>): Promise<void> {
    while (!this.isOver) {
      await act();
      await this.pause(this.random.integer(...pauseMs));
    }
  }

  /** Waits as long as the answer asks for, and a little longer so that not all clients come back at once. */
  async waitToRetry(answer: Answer | undefined): Promise<void> {
    await this.pause((answer ? retryAfterOf(answer) : 0.2) * 1_000 + this.random.integer(0, 300));
  }

  /**
   * Sends a request and notes what became of it.
   * @param value what the history keeps of a success
   */
  async ask(at: string, about: About, ask: Asked, value?: (answer: Answer) => unknown): Promise<Done> {
    const operation = this.history.invoke({ ...about, client: this.name, at });
    try {
      const answer = await send(this.rig.urlOf(at), this.agents.get(at)!, {
        patienceMs: PATIENT_MS,
        ...ask,
        ...(this.patient && { patienceMs: PATIENT_MS, hangUpAfterMs: undefined }),
        headers: { ...this.headers, ...ask.headers },
      });
      const classified = classify(answer);
      this.history.complete(operation, {
        ...classified,
        ...(about.key !== undefined && { body: answer.text }),
        ...(classified.outcome === 'ok' && value && { value: value(answer) }),
      });
      return { operation, answer };
    } catch (error) {
      this.history.complete(operation, { outcome: 'unknown', error: (error as Error).message });
      return { operation };
    }
  }
}

export function jsonOf<T>(answer: Answer): T {
  return JSON.parse(answer.text) as T;
}
