import type { Random } from '../random.ts';
import type { Call, Model } from './model.ts';

export interface Simulation<Input> {
  random: Random;
  clients: number;
  operations: number;
  /** How many never get an answer; about half of them take effect, some long after their client gave up. */
  unanswered: number;
  draw(this: void, random: Random, index: number): Input;
}

interface Planned<Input> {
  input: Input;
  invokedAt: number;
  effectAt: number;
  completedAt: number;
  fate: 'answered' | 'took effect unanswered' | 'got lost';
}

/** A history of clients of an object that behaves: the effect of each operation falls between its invocation and its answer. */
export function simulate<State, Input, Output>(
  model: Model<State, Input, Output>,
  answer: (this: void, state: State, input: Input) => Output,
  { random, clients, operations, unanswered, draw }: Simulation<Input>,
): Call<Input, Output>[] {
  const without = new Set<number>();
  while (without.size < unanswered) without.add(random.integer(0, operations - 1));
  const idleAt = Array<number>(clients).fill(0);
  const planned: Planned<Input>[] = [];
  for (let index = 0; index < operations; index += 1) {
    const client = idleAt.indexOf(Math.min(...idleAt));
    const invokedAt = idleAt[client]! + random.next() * 10;
    const completedAt = invokedAt + 1 + random.next() * 20;
    const lost = without.has(index);
    const effectAt = lost
      ? completedAt + random.next() * 400
      : invokedAt + random.next() * (completedAt - invokedAt);
    const fate = !lost ? 'answered' : random.chance(0.5) ? 'took effect unanswered' : 'got lost';
    planned.push({ input: draw(random, index), invokedAt, effectAt, completedAt, fate });
    idleAt[client] = completedAt;
  }
  const outputs = new Map<Planned<Input>, Output>();
  let state = model.initial;
  for (const operation of [...planned].sort((a, b) => a.effectAt - b.effectAt)) {
    if (operation.fate === 'got lost') continue;
    const output = answer(state, operation.input);
    outputs.set(operation, output);
    state = model.step(state, operation.input, output)!;
  }
  return planned.map((operation) => ({
    input: operation.input,
    invokedAt: operation.invokedAt,
    ...(operation.fate === 'answered'
      ? { output: outputs.get(operation)!, completedAt: operation.completedAt }
      : {}),
  }));
}

/** By trying every order: certain, and possible for a handful of operations only. */
export function linearizableByTryingAll<State, Input, Output>(
  model: Model<State, Input, Output>,
  calls: readonly Call<Input, Output>[],
): boolean {
  const must = (call: Call<Input, Output>): boolean =>
    call.completedAt !== undefined || call.tookEffect === true;
  const place = (state: State, rest: readonly Call<Input, Output>[]): boolean => {
    if (!rest.some(must)) return true;
    return rest.some((call) => {
      if (rest.some((other) => other !== call && (other.completedAt ?? Infinity) < call.invokedAt))
        return false;
      const next = model.step(state, call.input, call.output);
      return (
        next !== undefined &&
        place(
          next,
          rest.filter((other) => other !== call),
        )
      );
    });
  };
  return place(model.initial, calls);
}
