import { IntField } from './fields.js';
import { PAGE_LIMIT } from './pagination.js';

/** PostgreSQL reads and drops every row before a page: pages far down cost as much as the whole list. */
const FURTHEST = 10_000;

/**
 * Query of a list by offset, for pages with numbers. Costs more the further down, and repeats or misses entries when the list
 * changes in between: prefer `PageQuery` unless page numbers or a total are needed.
 */
export class OffsetQuery {
  @IntField(PAGE_LIMIT)
  limit: number = 20;

  @IntField({ max: FURTHEST, optional: true, default: 0, description: 'Number of entries to skip.' })
  offset: number = 0;
}

/** One page of a list by offset, and how many entries the whole list has. */
export interface OffsetPage<T> {
  data: T[];
  total: number;
}
