import { eventsOf } from './events.ts';
import type { Entry, Event } from './events.ts';
import type { Call, Model } from './model.ts';

/** Takes three seconds, ten on a slow core. A correct history of 500 operations needs some ten thousand. */
export const STEPS = 10_000_000;

export type Answer<State, Input, Output> =
  | { verdict: 'linearizable'; steps: number }
  /** The budget ended the search after `decided` answers. It proves nothing. */
  | { verdict: 'undecided'; steps: number; decided: number }
  | { verdict: 'not linearizable'; steps: number; failure: Failure<State, Input, Output> };

/** The shortest prefix of the history that nothing explains: it ends with the answer to `call`. */
export interface Failure<State, Input, Output> {
  call: Call<Input, Output>;
  /** How many operations had been answered before it. */
  answered: number;
  /** The other operations that may have taken effect by then or not: concurrent ones, and those that were never answered. */
  open: Call<Input, Output>[];
  /** The states that were possible until then. */
  possible: State[];
}

/**
 * Whether there is an order of the operations in which each has its effect between its invocation and its answer, and gets the
 * answer that the model gives. The algorithm is that of Wing and Gong with memoisation and just-in-time linearization (Lowe,
 * "Testing for linearizability", 2017), as in Knossos and Porcupine. It goes through the answers in the order of time; an
 * operation is placed when an answer cannot be explained without it, and no earlier.
 *
 * Of orders that differ only by swapping operations that commute, the one with the earliest answer first is tried and no other.
 * That is what makes many unanswered operations bearable.
 */
export function checkLinearizable<State, Input, Output>(
  model: Model<State, Input, Output>,
  calls: readonly Call<Input, Output>[],
  budget = STEPS,
): Answer<State, Input, Output> {
  return new Search(model, eventsOf(calls), budget).run();
}

/** What may be the case when the first `event` answers are explained: the state, and which open operations took effect. */
interface Configuration<State> {
  event: number;
  state: State;
  done: bigint;
}

class BudgetSpent extends Error {}

class Search<State, Input, Output> {
  private steps = 0;
  /** States that were possible before the event that nobody got past. */
  private possible = new Map<string, State>();
  private furthest = 0;
  /**
   * Sets of unanswered operations that led nowhere, by what else was the same. A larger set leads nowhere either, so it is not tried.
   */
  private readonly tried = new Map<string, bigint[]>();
  private readonly model: Model<State, Input, Output>;
  private readonly events: Event<Input, Output>[];
  private readonly budget: number;

  constructor(model: Model<State, Input, Output>, events: Event<Input, Output>[], budget: number) {
    this.model = model;
    this.events = events;
    this.budget = budget;
  }

  run(): Answer<State, Input, Output> {
    try {
      const explained = this.explainAll();
      if (explained) return { verdict: 'linearizable', steps: this.steps };
    } catch (error) {
      if (!(error instanceof BudgetSpent)) throw error;
      return { verdict: 'undecided', steps: this.steps, decided: this.furthest };
    }
    const { due, open } = this.events[this.furthest]!;
    const failure = {
      call: due.call,
      answered: this.furthest,
      open: open.filter((entry) => entry !== due).map(({ call }) => call),
      possible: [...this.possible.values()],
    };
    return { verdict: 'not linearizable', steps: this.steps, failure };
  }

  /** Depth first; the ways to explain one answer lazily, those with the fewest operations first. */
  private explainAll(): boolean {
    const first = { event: 0, state: this.model.initial, done: 0n };
    if (this.events.length === 0) return true;
    const path = [this.waysToExplain(first)];
    while (path.length > 0) {
      const { value: next } = path.at(-1)!.next();
      if (!next) path.pop();
      else if (next.event === this.events.length) return true;
      else if (this.isNew(next)) path.push(this.waysToExplain(next));
    }
    return false;
  }

  private isNew({ event, state, done }: Configuration<State>): boolean {
    const { optional } = this.events[event]!;
    const key = `${event} ${done & ~optional} ${this.model.key(state)}`;
    const used = done & optional;
    const inVain = this.tried.get(key);
    if (!inVain) this.tried.set(key, [used]);
    else if (inVain.some((fewer) => (fewer & ~used) === 0n)) return false;
    else inVain.push(used);
    return true;
  }

  /** The configurations after the answer of `event`, whose operation has taken effect in each. */
  private *waysToExplain(from: Configuration<State>): Generator<Configuration<State>, undefined> {
    const { due, open } = this.events[from.event]!;
    this.arriveAt(from);
    const after = (state: State, done: bigint): Configuration<State> => ({
      event: from.event + 1,
      state,
      done: done & ~due.bit,
    });
    if ((from.done & due.bit) !== 0n) {
      yield after(from.state, from.done);
      return;
    }
    if (this.isRefuted(from)) return;
    // The last operation that was placed, and the state before it: whether they could be swapped decides what may follow.
    type Place = { state: State; done: bigint; last?: Entry<Input, Output>; former?: State };
    const places: Place[] = [{ state: from.state, done: from.done }];
    const seen = new Set<string>();
    for (const { state, done, last, former } of places) {
      for (const entry of open) {
        if ((done & entry.bit) !== 0n || isBehindItsTwin(entry, done)) continue;
        const next = this.step(state, entry);
        if (next === undefined) continue;
        if (entry.optional && this.same(next, state)) continue;
        if (last !== undefined && this.superfluous(former!, last, entry, next)) continue;
        const doneNow = done | entry.bit;
        if (entry === due) {
          yield after(next, doneNow);
          continue;
        }
        const memo = `${doneNow} ${entry.rank} ${this.model.key(state)} ${this.model.key(next)}`;
        if (seen.has(memo)) continue;
        seen.add(memo);
        places.push({ state: next, done: doneNow, last: entry, former: state });
      }
    }
  }

  private arriveAt({ event, state }: Configuration<State>): void {
    if (event > this.furthest) this.possible.clear();
    this.furthest = Math.max(this.furthest, event);
    if (event === this.furthest) this.possible.set(this.model.key(state), state);
  }

  private isRefuted({ event, state, done }: Configuration<State>): boolean {
    const { due, open } = this.events[event]!;
    const rest = open
      .filter((entry) => entry !== due && (done & entry.bit) === 0n)
      .map(({ call }) => call.input);
    this.steps += 1;
    return this.model.refutes?.(state, rest, due.call.input, due.call.output) ?? false;
  }

  /** Whether the same end is reached without `first`, or with `second` before it, so that this order need not be tried. */
  private superfluous(
    before: State,
    first: Entry<Input, Output>,
    second: Entry<Input, Output>,
    end: State,
  ): boolean {
    const without = this.step(before, second);
    if (without === undefined) return false;
    if (first.optional && this.same(without, end)) return true;
    if (second.rank > first.rank) return false;
    const swapped = this.step(without, first);
    return swapped !== undefined && this.same(swapped, end);
  }

  private step(state: State, { call }: Entry<Input, Output>): State | undefined {
    if (this.steps >= this.budget) throw new BudgetSpent();
    this.steps += 1;
    return this.model.step(state, call.input, call.output);
  }

  private same(one: State, other: State): boolean {
    return this.model.key(one) === this.model.key(other);
  }
}

/** Of unanswered operations with the same input it is always the oldest one that took effect: it could have been any. */
function isBehindItsTwin({ twin }: Entry<unknown, unknown>, done: bigint): boolean {
  return twin !== undefined && (done & twin.bit) === 0n;
}
