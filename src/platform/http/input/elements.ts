import { isInt, matches, max, maxLength, min, minLength, ValidateBy } from 'class-validator';
import type { IntOptions, StringOptions } from './fields.js';

/** Rule whose message is a JSON list of `ElementProblem`: class-validator has one message and no place for a list. */
export const ELEMENTS = 'elements';

/** What is wrong with which element of a list. */
export interface ElementProblem {
  index: number;
  code: string;
  message: string;
}

type Check = (element: unknown) => [code: string, message: string] | undefined;

/** Checks each element of a list. Values that are not lists are left to other rules. */
export function each(problemOf: Check): PropertyDecorator {
  const problemsIn = (list: unknown[]): ElementProblem[] =>
    list.flatMap((element, index) => {
      const [code, message] = problemOf(element) ?? [];
      return code && message ? [{ index, code, message: `element ${index} must ${message}` }] : [];
    });
  return ValidateBy({
    name: ELEMENTS,
    validator: {
      validate: (list: unknown) => !Array.isArray(list) || problemsIn(list).length === 0,
      defaultMessage: (about) => JSON.stringify(problemsIn(about?.value as unknown[])),
    },
  });
}

/** As `StringField` checks a member. */
export function likeString(options: StringOptions): Check {
  const { min: least = 0, max: most = 1000, pattern, patternName = 'well-formed' } = options;
  return (text) => {
    if (typeof text !== 'string') return ['is-string', 'be a string'];
    if (!minLength(text, least)) return ['min-length', `have at least ${least} characters`];
    if (!maxLength(text, most)) return ['max-length', `have at most ${most} characters`];
    if (pattern && !matches(text, pattern)) return ['matches', `be ${patternName}`];
    return undefined;
  };
}

/** As `IntField` checks a member. */
export function likeInt({ min: least = 0, max: most = Number.MAX_SAFE_INTEGER }: IntOptions): Check {
  return (number) => {
    if (!isInt(number)) return ['is-int', 'be an integer number'];
    if (!min(number, least)) return ['min', `not be less than ${least}`];
    if (!max(number, most)) return ['max', `not be greater than ${most}`];
    return undefined;
  };
}
