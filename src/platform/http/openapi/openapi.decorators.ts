import { STATUS_CODES } from 'node:http';
import { applyDecorators, type Type } from '@nestjs/common';
import {
  ApiExtraModels,
  ApiHeader,
  ApiProperty,
  ApiResponse,
  ApiSchema,
  type ApiPropertyOptions,
} from '@nestjs/swagger';
import { Problem } from '../problems/problem-format.js';
import { problemResponses, type ProblemCodes } from './problem-responses.js';

const HEADERS = {
  Location: {
    description: 'URL of the new resource.',
    required: true,
    schema: { type: 'string' as const },
  },
  ETag: {
    description: 'Version of the resource, for `If-Match` and `If-None-Match`.',
    required: true,
    schema: { type: 'string' as const },
  },
  'Idempotency-Replayed': {
    description: '`true` if this is the stored answer of an earlier request.',
    schema: { type: 'string' as const },
  },
};

/** What a request needs for an answer of this status. */
const CONDITIONS: Record<number, MethodDecorator> = {
  304: ApiHeader({
    name: 'If-None-Match',
    required: false,
    description:
      'ETag of the version that the client has. While it is current, the answer is 304 without a body.',
  }),
  428: ApiHeader({
    name: 'If-Match',
    required: true,
    description: 'ETag of the version that was read, or `*`. Any other version is left alone: 412.',
  }),
};

/** Documents a success: its status, its body (none for 204, 304), and the headers that matter; for 304 also `If-None-Match`. */
export function ApiAnswer(status: number, body?: Type<unknown>, headers: (keyof typeof HEADERS)[] = []) {
  return applyDecorators(
    ...conditionsOf([status]),
    ApiResponse({
      status,
      description: STATUS_CODES[status] ?? '',
      ...(body && { type: body }),
      ...(headers.length > 0 && {
        headers: Object.fromEntries(headers.map((name) => [name, HEADERS[name]])),
      }),
    }),
  );
}

/** Documents a page of a list; in the document it is named after its entries: `OrderPage`. */
export function ApiPage(entry: Type<unknown>) {
  return ApiResponse({ status: 200, description: 'OK', type: keysetPages.of(entry) });
}

/** Documents a page of a list by offset: `OrderOffsetPage`. */
export function ApiOffsetPage(entry: Type<unknown>) {
  return ApiResponse({ status: 200, description: 'OK', type: offsetPages.of(entry) });
}

/** Classes of pages, one for each kind of entry. */
class Pages {
  private readonly classes = new Map<Type<unknown>, Type<unknown>>();

  constructor(
    private readonly kind: string,
    private readonly member: string,
    private readonly options: ApiPropertyOptions,
  ) {}

  of(entry: Type<unknown>): Type<unknown> {
    const known = this.classes.get(entry);
    if (known) return known;
    class Page {}
    ApiSchema({ name: `${entry.name.replace(/Dto$/, '')}${this.kind}` })(Page);
    ApiProperty({ type: [entry] })(Page.prototype, 'data');
    ApiProperty(this.options)(Page.prototype, this.member);
    this.classes.set(entry, Page);
    return Page;
  }
}

const keysetPages = new Pages('Page', 'nextCursor', {
  type: String,
  nullable: true,
  description: 'The `cursor` of the next page; null on the last one.',
});
const offsetPages = new Pages('OffsetPage', 'total', { type: 'integer', minimum: 0 });

/**
 * Documents the errors of a route, besides those that every route can have (429, 500, 503): a status for those that the platform
 * answers with, and codes by status for those of the feature: `@ApiProblems(401, 422, { 404: 'order-not-found' })`. A client can
 * tell them apart by type. 428 also documents `If-Match`.
 */
export function ApiProblems(...problems: (number | ProblemCodes)[]) {
  const responses = problemResponses(problems);
  return applyDecorators(
    ApiExtraModels(Problem),
    ...conditionsOf(responses.map(([status]) => status)),
    ...responses.map(([status, response]) => ApiResponse({ status, ...response })),
  );
}

function conditionsOf(statuses: number[]): MethodDecorator[] {
  return statuses.flatMap((status) => CONDITIONS[status] ?? []);
}
