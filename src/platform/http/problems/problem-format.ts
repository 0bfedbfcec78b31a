import { Logger, type Type } from '@nestjs/common';
import { ApiProperty } from '@nestjs/swagger';
import { languageOf } from '../../languages/index.js';
import { problemDocument, type ProblemDocument } from './problem.js';

const logger = new Logger('ProblemFormat');

/** RFC 9457 problem document, as every error is answered. */
export class Problem {
  @ApiProperty({ type: 'string', format: 'uri' }) type!: string;
  @ApiProperty({ type: 'string' }) title!: string;
  @ApiProperty({ type: 'integer', minimum: 400, maximum: 599 }) status!: number;
  @ApiProperty({ type: 'string' }) detail!: string;
  @ApiProperty({ type: 'string' }) instance!: string;
  @ApiProperty({ type: 'string', description: 'Stable, kebab-case.' }) code!: string;
  @ApiProperty({ type: 'string' }) requestId!: string;
  @ApiProperty({
    type: 'array',
    required: false,
    description: 'The invalid members (`pointer`, RFC 6901) and parameters, each with its reason.',
    items: {
      type: 'object',
      required: ['code', 'message'],
      properties: {
        pointer: { type: 'string' },
        parameter: { type: 'string' },
        code: { type: 'string' },
        message: { type: 'string' },
      },
    },
  })
  errors?: object[];
}

/** The product's format of errors. Status and headers do not change. */
export interface ProblemFormat {
  /** Such as `application/problem+json`. */
  readonly mediaType: string;
  /** What `body` returns, as a class for the OpenAPI document. */
  readonly model: Type<object>;
  /**
   * @param document the platform's document, to be extended or replaced
   * @param error what was thrown; may hold data that the caller must not see
   */
  body(document: ProblemDocument, error: unknown): object;
}

/** RFC 9457, the platform's own format. */
export const PROBLEM_DETAILS: ProblemFormat = {
  mediaType: 'application/problem+json',
  model: Problem,
  body: (document) => document,
};

/** An error as it is sent. */
export interface WrittenProblem {
  status: number;
  language: string;
  contentType: string;
  body: string;
}

let format = PROBLEM_DETAILS;
let typeBase: string | undefined;

/** The format of this process. */
export const problemFormat = (): ProblemFormat => format;

/**
 * Sets how all errors of this process are written; call it before the application is created.
 * @param base what stands before the code in the `type` of a problem document (`PROBLEM_TYPE_BASE`)
 */
export function writeProblemsAs(other: ProblemFormat, base?: string): void {
  format = other;
  typeBase = base;
}

/**
 * The answer to an error: written only here, also for input that never becomes a request, and for stored answers.
 * @param acceptLanguage what the client reads; absent where it is too early to look: then it is English
 */
export function writtenProblem(
  error: unknown,
  requestId: string,
  instance: string,
  acceptLanguage?: string,
): WrittenProblem {
  const language = languageOf(acceptLanguage);
  const document = problemDocument(error, requestId, instance, typeBase, language);
  const { status } = document;
  try {
    return { status, language, ...written(format, format.body(document, error)) };
  } catch (failure) {
    // A failure of the format must neither hide the first error nor leave the client without an answer.
    logger.error({ err: failure }, 'The error format failed; sending the problem document instead');
    return { status, language, ...written(PROBLEM_DETAILS, document) };
  }
}

function written({ mediaType }: ProblemFormat, body: object): Pick<WrittenProblem, 'contentType' | 'body'> {
  return { contentType: `${mediaType}; charset=utf-8`, body: JSON.stringify(body) };
}
