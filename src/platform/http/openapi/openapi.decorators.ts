import { STATUS_CODES } from 'node:http';
import { applyDecorators, type Type } from '@nestjs/common';
import { ApiExtraModels, ApiProperty, ApiResponse, getSchemaPath } from '@nestjs/swagger';

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
    description: 'What is wrong with which member (`pointer`, RFC 6901) or parameter.',
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

const HEADERS = {
  Location: {
    description: 'Where the new resource is.',
    required: true,
    schema: { type: 'string' as const },
  },
  ETag: { description: 'Version of the resource.', required: true, schema: { type: 'string' as const } },
  'Idempotency-Replayed': {
    description: 'true when this is the stored answer.',
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
  return applyDecorators(
    ApiExtraModels(entry),
    ApiResponse({
      status: 200,
      description: 'OK',
      schema: {
        type: 'object',
        required: ['data', 'nextCursor'],
        properties: {
          data: { type: 'array', items: { $ref: getSchemaPath(entry) } },
          nextCursor: { type: ['string', 'null'] as never },
        },
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
