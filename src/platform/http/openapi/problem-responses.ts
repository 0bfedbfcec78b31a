import { STATUS_CODES } from 'node:http';
import { getSchemaPath } from '@nestjs/swagger';
import { Problem, problemFormat } from '../problems/problem-format.js';

/** Codes by status. */
export type ProblemCodes = Partial<Record<number, string | string[]>>;

const PROBLEM_JSON = 'application/problem+json';

/** What the platform answers with by itself. The codes of 503 are open: each dependency has its own. */
const PLATFORM: Partial<Record<number, string[]>> = {
  400: ['malformed-request'],
  401: ['unauthenticated'],
  403: ['forbidden'],
  406: ['not-acceptable'],
  409: ['already-exists', 'still-referenced'],
  412: ['stale-version'],
  413: ['body-too-large'],
  415: ['unsupported-media-type'],
  422: ['validation-failed'],
  428: ['precondition-required'],
  429: ['quota-exceeded', 'too-many-pipelined-requests'],
  500: ['internal-error'],
};

/** Besides, where the request has a body that is written to the database. */
const WITH_A_BODY: ProblemCodes = { 422: ['unknown-reference', 'value-not-allowed'] };

/** Besides, where the request has an Idempotency-Key. */
const WITH_A_KEY: ProblemCodes = {
  400: ['idempotency-key-missing', 'idempotency-key-invalid'],
  409: ['idempotency-key-in-use'],
  422: ['idempotency-key-reused'],
};

/** What is read and completed of an operation. */
export interface Operation {
  parameters?: { name: string }[];
  requestBody?: object;
  security?: object[];
  deprecated?: boolean;
  responses: Record<string, ResponseOfOperation>;
}

interface ResponseOfOperation {
  description?: string;
  content?: Record<string, { schema?: Record<string, unknown> }>;
}

/**
 * A problem document whose `status`, and `code` where it is known, are types of their own, so that a client tells two errors of an
 * operation apart by type.
 */
export function problemResponse(status: number, codes = PLATFORM[status] ?? []) {
  const properties = {
    status: { type: 'integer', enum: [status] },
    ...(codes.length > 0 && { code: { type: 'string', enum: [...new Set(codes)] } }),
  };
  const own = { type: 'object', required: Object.keys(properties), properties };
  return {
    description: STATUS_CODES[status] ?? '',
    content: { [PROBLEM_JSON]: { schema: { allOf: [{ $ref: getSchemaPath(Problem) }, own] } } },
  };
}

/** The responses of these problems. A number is what the platform answers with under this status. */
export function problemResponses(problems: (number | ProblemCodes)[]): [number, object][] {
  const all = new Map<number, string[]>();
  for (const problem of problems) {
    const codes = typeof problem === 'number' ? { [problem]: PLATFORM[problem] ?? [] } : problem;
    for (const [status, own] of Object.entries(codes))
      all.set(Number(status), [...(all.get(Number(status)) ?? []), ...[own ?? []].flat()]);
  }
  return [...all].map(([status, codes]) => [status, problemResponse(status, codes)]);
}

/**
 * Adds what every operation may answer, and what follows from its request: limits, a bug, a dependency that is down, an `Accept`
 * that allows nothing, an Idempotency-Key. Then gives all errors the product's format.
 */
export function completeProblems({ parameters = [], requestBody, responses }: Operation): void {
  const negotiates = Object.entries(responses).some(
    ([status, { content }]) => status.startsWith('2') && content,
  );
  for (const status of [...(negotiates ? [406] : []), 429, 500, 503])
    responses[status] ??= problemResponse(status);
  const takesKey = parameters.some(({ name }) => name === 'Idempotency-Key');
  for (const [status, response] of Object.entries(responses)) {
    const more = [requestBody && WITH_A_BODY, takesKey && WITH_A_KEY].map(
      (codes) => (codes || {})[Number(status)],
    );
    const schema = response.content?.[PROBLEM_JSON]?.schema;
    if (schema) responses[status] = { ...response, content: inFormat(schema as ProblemSchema, more.flat()) };
  }
}

interface ProblemSchema {
  allOf?: [object, { properties: { code?: { enum: string[] } } }];
}

/** A format that extends the problem document keeps its codes; any other says itself what it looks like. */
function inFormat({ allOf }: ProblemSchema, more: (string | undefined)[]) {
  const { mediaType, model } = problemFormat();
  const $ref = getSchemaPath(model);
  if (!allOf || (model !== Problem && !(model.prototype instanceof Problem)))
    return { [mediaType]: { schema: { $ref } } };
  const own = structuredClone(allOf[1]);
  own.properties.code?.enum.push(...more.filter((code) => code !== undefined));
  return { [mediaType]: { schema: { allOf: [{ $ref }, own] } } };
}
