import { ClientError } from '../../errors/index.js';
import { IntField, StringField } from './fields.js';

/** The number of entries on a page, of any kind of list. */
export const PAGE_LIMIT = {
  min: 1,
  max: 100,
  optional: true,
  default: 20,
  description: 'Maximum number of entries on the page.',
};

/** Query of every list. */
export class PageQuery {
  @IntField(PAGE_LIMIT)
  limit: number = 20;

  @StringField({ max: 500, optional: true, description: 'The `nextCursor` of the previous page.' })
  cursor?: string;
}

/** One page of a list; `nextCursor` is null on the last one. */
export interface Page<T> {
  data: T[];
  nextCursor: string | null;
}

type CursorPart = 'uuid' | 'time' | 'integer' | 'text';

const CHECKS: Record<CursorPart, (value: unknown) => boolean> = {
  uuid: (value) => typeof value === 'string' && /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(value),
  time: (value) => typeof value === 'string' && !Number.isNaN(Date.parse(value)),
  integer: (value) => Number.isSafeInteger(value),
  // PostgreSQL takes no other text.
  text: (value) => typeof value === 'string' && value.isWellFormed() && !value.includes('\0'),
};

/** An opaque keyset cursor: the sort key of the last entry of a page. */
export function encodeCursor(values: (string | number)[]): string {
  return Buffer.from(JSON.stringify(values)).toString('base64url');
}

/**
 * The sort key in a cursor, or undefined for the first page.
 * @param shape the type of each part, in order; a forged cursor must not reach SQL as something else
 * @throws ClientError 422 naming the parameter `cursor`
 */
export function decodeCursor<T extends unknown[]>(
  cursor: string | undefined,
  shape: CursorPart[],
): T | undefined {
  if (cursor === undefined) return undefined;
  const values = parse(cursor);
  if (
    !Array.isArray(values) ||
    values.length !== shape.length ||
    !shape.every((part, i) => CHECKS[part](values[i]))
  ) {
    throw new ClientError({
      status: 422,
      code: 'validation-failed',
      detail: 'The cursor is invalid for this list.',
      errors: [
        {
          parameter: 'cursor',
          code: 'is-cursor',
          message: 'cursor must be the nextCursor of a page of this list',
        },
      ],
    });
  }
  return values as T;
}

/**
 * Makes a page of rows fetched with `LIMIT limit + 1`: the extra row only tells that there is a next page.
 * @param keyOf the sort key of a row
 */
export function pageOf<Row, Entry>(
  rows: Row[],
  limit: number,
  keyOf: (row: Row) => (string | number)[],
  map: (row: Row) => Entry,
): Page<Entry> {
  const shown = rows.length > limit ? rows.slice(0, limit) : rows;
  const last = shown.at(-1);
  return { data: shown.map(map), nextCursor: rows.length > limit && last ? encodeCursor(keyOf(last)) : null };
}

function parse(cursor: string): unknown {
  try {
    return JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8')) as unknown;
  } catch {
    return undefined;
  }
}
