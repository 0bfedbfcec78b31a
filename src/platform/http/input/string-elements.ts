import { matches, maxLength, minLength, ValidateBy } from 'class-validator';
import type { StringOptions } from './fields.js';

/** Rule whose message is a JSON list of `ElementProblem`: class-validator has one message and no place for a list. */
export const ELEMENTS = 'elements';

/** What is wrong with which element of a list. */
export interface ElementProblem {
  index: number;
  code: string;
  message: string;
}

/** Checks each element of a list as `StringField` checks a member. Values that are not lists are left to other rules. */
export function eachString(options: StringOptions): PropertyDecorator {
  return ValidateBy({
    name: ELEMENTS,
    validator: {
      validate: (list: unknown) => !Array.isArray(list) || problemsIn(list, options).length === 0,
      defaultMessage: (about) => JSON.stringify(problemsIn(about?.value as unknown[], options)),
    },
  });
}

function problemsIn(list: unknown[], options: StringOptions): ElementProblem[] {
  return list.flatMap((element, index) => {
    const [code, message] = problemOf(element, options) ?? [];
    return code && message ? [{ index, code, message: `element ${index} must ${message}` }] : [];
  });
}

function problemOf(
  text: unknown,
  { min = 0, max = 1000, pattern, patternName = 'well-formed' }: StringOptions,
): [code: string, message: string] | undefined {
  if (typeof text !== 'string') return ['is-string', 'be a string'];
  if (!minLength(text, min)) return ['min-length', `have at least ${min} characters`];
  if (!maxLength(text, max)) return ['max-length', `have at most ${max} characters`];
  if (pattern && !matches(text, pattern)) return ['matches', `be ${patternName}`];
  return undefined;
}
