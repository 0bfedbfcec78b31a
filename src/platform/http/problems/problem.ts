import { STATUS_CODES } from 'node:http';
import { asProblem } from '../../errors/index.js';

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

/** Registered types; every other error gets a URN made of its code. */
const REGISTERED_TYPES: Record<string, string> = {
  'quota-exceeded': 'https://iana.org/assignments/http-problem-types#quota-exceeded',
  'temporary-reduced-capacity': 'https://iana.org/assignments/http-problem-types#temporary-reduced-capacity',
};

/** The document for an error, made only here. A bug reveals nothing but the id under which it is logged. */
export function problemDocument(error: unknown, requestId: string, instance: string): ProblemDocument {
  const problem = asProblem(error);
  const status = problem?.status ?? 500;
  const code = problem?.code ?? 'internal-error';
  return {
    type: REGISTERED_TYPES[code] ?? `urn:problem-type:${code}`,
    title: STATUS_CODES[status] ?? 'Error',
    status,
    detail: problem?.message ?? 'Something went wrong on our side. It is logged under the requestId.',
    instance,
    code,
    requestId,
    ...problem?.extensions,
  };
}
