import { STATUS_CODES } from 'node:http';
import { applyDecorators, type Type } from '@nestjs/common';
import { ApiExtraModels, ApiResponse, getSchemaPath } from '@nestjs/swagger';
import { Problem } from '../problems/problem-format.js';

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

/** Documents a success: its status, its body (none for 204, 304), and the headers that matter. */
export function ApiAnswer(status: number, body?: Type<unknown>, headers: (keyof typeof HEADERS)[] = []) {
  return ApiResponse({
    status,
    description: STATUS_CODES[status] ?? '',
    ...(body && { type: body }),
    ...(headers.length > 0 && { headers: Object.fromEntries(headers.map((name) => [name, HEADERS[name]])) }),
  });
}

/** Documents a page of a list. */
export function ApiPage(entry: Type<unknown>) {
  return apiPage(entry, { nextCursor: { type: ['string', 'null'] } });
}

/** Documents a page of a list by offset. */
export function ApiOffsetPage(entry: Type<unknown>) {
  return apiPage(entry, { total: { type: 'integer', minimum: 0 } });
}

function apiPage(entry: Type<unknown>, rest: Record<string, object>) {
  return applyDecorators(
    ApiExtraModels(entry),
    ApiResponse({
      status: 200,
      description: 'OK',
      schema: {
        type: 'object',
        required: ['data', ...Object.keys(rest)],
        properties: { data: { type: 'array', items: { $ref: getSchemaPath(entry) } }, ...rest },
      },
    }),
  );
}

/** Documents the errors of a route, besides those that every route can have (429, 500, 503, and 401/403 where they apply). */
export function ApiProblems(...statuses: number[]) {
  return applyDecorators(
    ApiExtraModels(Problem),
    ...statuses.map((status) =>
      ApiResponse({
        status,
        description: STATUS_CODES[status] ?? '',
        content: { 'application/problem+json': { schema: { $ref: getSchemaPath(Problem) } } },
      }),
    ),
  );
}
