import type { Answer } from './linearizability.ts';
import type { Call, Model } from './model.ts';

const MOST_STATES = 5;

/** One sentence for the report. @param describe names an operation, with its id */
export function explain<State, Input, Output>(
  answer: Answer<State, Input, Output>,
  model: Model<State, Input, Output>,
  describe: (call: Call<Input, Output>) => string,
): string {
  if (answer.verdict === 'linearizable') return 'linearizable';
  if (answer.verdict === 'undecided')
    return `undecided: ${answer.steps} steps were not enough, ${answer.decided} answers are explained`;
  const { call, answered, open, possible } = answer.failure;
  const timed = (one: Call<Input, Output>): string => `${describe(one)} (${when(one)})`;
  const states = possible.slice(0, MOST_STATES).map((state) => model.key(state));
  if (possible.length > MOST_STATES) states.push(`one of ${possible.length - MOST_STATES} more`);
  const others = open.length === 0 ? '' : `; also open: ${open.map(timed).join(', ')}`;
  return `nothing explains the answer to ${timed(call)}: after the ${answered} answers before it the state was ${states.join(' or ')}${others}`;
}

function when({ invokedAt, completedAt }: Call<unknown, unknown>): string {
  const from = Math.round(invokedAt);
  return completedAt === undefined ? `${from} ms, unanswered` : `${from} to ${Math.round(completedAt)} ms`;
}
