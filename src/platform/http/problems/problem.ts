import { STATUS_CODES } from 'node:http';
import { asProblem } from '../../errors/index.js';
import { DEFAULT_LANGUAGE, detailIn, titleIn } from '../../languages/index.js';

/** RFC 9457 problem document with our own members. */
export interface ProblemDocument {
  type: string;
  title: string;
  status: number;
  detail: string;
  instance: string;
  code: string;
  requestId: string;
  [extension: string]: unknown;
}

/** Registered types, which have pages of their own. */
const REGISTERED_TYPES: Record<string, string> = {
  'quota-exceeded': 'https://iana.org/assignments/http-problem-types#quota-exceeded',
  'temporary-reduced-capacity': 'https://iana.org/assignments/http-problem-types#temporary-reduced-capacity',
};

/**
 * The document for an error, made only here. A bug reveals nothing but the id under which it is logged.
 * @param typeBase what stands before the code in the `type`: the URL of the catalogue (docs/problems.md) where it is published
 */
export function problemDocument(
  error: unknown,
  requestId: string,
  instance: string,
  typeBase = 'urn:problem-type:',
  language = DEFAULT_LANGUAGE,
): ProblemDocument {
  const problem = asProblem(error);
  const status = problem?.status ?? 500;
  const code = problem?.code ?? 'internal-error';
  return {
    type: REGISTERED_TYPES[code] ?? `${typeBase}${code}`,
    title: titleIn(language, status) ?? STATUS_CODES[status] ?? 'Error',
    status,
    detail:
      detailIn(language, { status, code, members: problem?.extensions ?? {} }) ??
      problem?.message ??
      'An unexpected error occurred. It is logged with the requestId.',
    instance,
    /** A bug on our side, logged with the `requestId`. Report it with that id. */
    code,
    requestId,
    ...problem?.extensions,
  };
}
