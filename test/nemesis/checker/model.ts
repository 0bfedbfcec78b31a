/** How an object behaves when its operations happen one after another. */
export interface Model<State, Input, Output> {
  initial: State;
  /**
   * @param output what the client was told; undefined: it does not know, and any answer would do
   * @returns the state after the operation, or undefined if the operation cannot have had this output in this state. Never a changed `state`
   */
  step(state: State, input: Input, output: Output | undefined): State | undefined;
  /** Two states are the same when their keys are. */
  key(state: State): string;
  /**
   * A quick proof that no selection of the open operations, in whatever order, lets `input` be answered with `output`. Without it
   * every selection is tried, and there are 2^20 of 20 unanswered deposits.
   */
  refutes?(state: State, open: readonly Input[], input: Input, output: Output | undefined): boolean;
}

/** One operation on the object, as its client saw it. */
export interface Call<Input, Output> {
  input: Input;
  /** Undefined if it is not known. */
  output?: Output;
  invokedAt: number;
  /** Undefined if it is not known: then it may take effect at any later time, or never. */
  completedAt?: number;
  /** True: it is known from elsewhere, for example from the final state, that it took effect, although its client never learnt. */
  tookEffect?: boolean;
}

export type RegisterInput<Value> =
  | { kind: 'read' }
  | { kind: 'write'; value: Value }
  | { kind: 'compare-and-set'; expected: Value; value: Value };

/** What a read found, whether a compare-and-set took place; of a write nothing. */
export type RegisterOutput<Value> = { value: Value } | { swapped: boolean } | { written: true };

/** One value that is read, written, and replaced if it is still the expected one, for example a row with a version. */
export function register<Value extends string | number | boolean | null>(
  initial: Value,
): Model<Value, RegisterInput<Value>, RegisterOutput<Value>> {
  return {
    initial,
    key: (value) => JSON.stringify(value),
    step: (value, input, output) => {
      switch (input.kind) {
        case 'read':
          return output === undefined || ('value' in output && output.value === value) ? value : undefined;
        case 'write':
          return input.value;
        case 'compare-and-set': {
          const swaps = input.expected === value;
          if (output !== undefined && 'swapped' in output && output.swapped !== swaps) return undefined;
          return swaps ? input.value : value;
        }
      }
    },
    refutes: (value, open, input, output) => {
      const needed = neededValue(input, output);
      if (needed === undefined || needed === value) return false;
      return !open.some((other) => other.kind !== 'read' && other.value === needed);
    },
  };
}

function neededValue<Value>(
  input: RegisterInput<Value>,
  output: RegisterOutput<Value> | undefined,
): Value | undefined {
  if (output === undefined) return undefined;
  if (input.kind === 'read') return 'value' in output ? output.value : undefined;
  return input.kind === 'compare-and-set' && 'swapped' in output && output.swapped
    ? input.expected
    : undefined;
}

export type AccountInput = { kind: 'read' } | { kind: 'add'; amount: number };
/** `balance`: what a read found. `done: false`: the account had not enough. */
export type AccountOutput = { balance: number } | { done: boolean };

const MOST_SUMS = 5_000;

/** A counter that never falls below `least`: an account, to which amounts are added and from which they are taken. */
export function account(initial: number, least = 0): Model<number, AccountInput, AccountOutput> {
  return {
    initial,
    key: String,
    step: (balance, input, output) => {
      if (input.kind === 'read')
        return output === undefined || ('balance' in output && output.balance === balance)
          ? balance
          : undefined;
      const enough = balance + input.amount >= least;
      if (output !== undefined && 'done' in output && output.done !== enough) return undefined;
      return enough ? balance + input.amount : balance;
    },
    refutes: (balance, open, input, output) => {
      if (input.kind !== 'read' || output === undefined || !('balance' in output)) return false;
      const sums = new Set([balance]);
      for (const other of open) {
        if (other.kind === 'add') for (const sum of [...sums]) sums.add(sum + other.amount);
        if (sums.size > MOST_SUMS) return false;
      }
      return !sums.has(output.balance);
    },
  };
}
