import { ClientError, type FieldProblem } from '../../errors/index.js';

/** A longer list does not help, and the answer could be larger than the request. */
const MOST_LISTED = 50;
/** Characters of a caller's made-up name that an answer repeats. */
const LONGEST_NAME = 100;

/** 422 `validation-failed` with the problems; of very many the first are listed, and the detail says so. */
export function invalidInput(problems: FieldProblem[]): ClientError {
  const [first] = problems;
  const count = problems.length;
  const detail =
    count === 1
      ? `The input is invalid: ${first?.message}`
      : `The input has ${count} errors${count > MOST_LISTED ? `; the first ${MOST_LISTED} are listed` : ''}.`;
  return new ClientError({
    status: 422,
    /**
     * Members or parameters are invalid; `errors` lists each with its place and reason. Correct the request.
     */
    code: 'validation-failed',
    detail,
    errors: problems.slice(0, MOST_LISTED),
  });
}

/** A member's name as part of a JSON pointer (RFC 6901 section 3). */
export function pointerToken(name: string): string {
  return shortened(name).replaceAll('~', '~0').replaceAll('/', '~1');
}

/** A name to be repeated in an answer. */
export function shortened(name: string): string {
  return name.length > LONGEST_NAME ? `${name.slice(0, LONGEST_NAME).toWellFormed()}…` : name.toWellFormed();
}

/**
 * Characters that cannot be stored or passed on: NUL, which PostgreSQL does not accept, and halves of surrogate pairs, which are
 * not valid Unicode (I-JSON, RFC 7493 section 2.1): `encodeURIComponent` and libraries on top of it throw on them.
 */
export function textProblem(text: string, name: string): Pick<FieldProblem, 'code' | 'message'> | undefined {
  if (text.includes('\0'))
    return { code: 'no-nul', message: `${shortened(name)} must not contain NUL characters` };
  if (!text.isWellFormed())
    return { code: 'is-well-formed', message: `${shortened(name)} must be well-formed Unicode` };
  return undefined;
}
