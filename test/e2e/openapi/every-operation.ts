import { describe, expect, it } from 'vitest';
import type { Operation } from './conformance.js';
import { NOBODY, type Call, type DocumentedApi } from './documented-api.js';

/** What to ask of whom. */
export interface Operations {
  api: DocumentedApi;
  /** Those to be asked. */
  operations: Operation[];
  /** Access token of an admin. */
  admin: string;
  bodyLimit: number;
  /** Bodies that are well-formed for the operations that take one, so that something else about the request is wrong. */
  bodies: Record<string, unknown>;
  /** Operations that say who asks, and what for, by a signature of everything that they are sent. */
  signed?: string[];
}

/** What every operation of a kind has in common is asked of every operation of that kind, also of those to come. */
export function describeEveryOperation(context: () => Operations): void {
  describe('every operation', () => {
    const isSigned = (id: string) => context().signed?.includes(id) ?? false;
    const extra = (id: string) => (isSigned(id) ? {} : { ...context().api.idempotent(), 'if-match': '*' });
    const pathOf = (path: string, id: string) => path.replaceAll(/\{\w+\}/g, id);
    const each = async (
      operations: Operation[],
      request: (operation: Operation) => Promise<number>,
    ): Promise<Record<string, number>> => {
      const statuses: Record<string, number> = {};
      for (const operation of operations) statuses[operation.id] = await request(operation);
      return statuses;
    };
    const all = (operations: Operation[], status: number) =>
      Object.fromEntries(operations.map(({ id }) => [id, status]));
    const ask = (operation: Operation, options: Call & { id?: string } = {}) =>
      context().api.statusOf(operation.method.toUpperCase(), pathOf(operation.path, options.id ?? NOBODY), {
        as: context().admin,
        ...(context().bodies[operation.id] !== undefined &&
          options.raw === undefined && { body: context().bodies[operation.id] }),
        ...options,
        headers: { ...extra(operation.id), ...options.headers },
      });

    it('that needs a caller refuses strangers', async () => {
      const guarded = context().operations.filter(({ needsCaller }) => needsCaller);

      expect(guarded.length).toBeGreaterThan(10);
      expect(await each(guarded, (operation) => ask(operation, { as: undefined }))).toEqual(
        all(guarded, 401),
      );
      expect(await each(guarded, (operation) => ask(operation, { as: 'e30.e30.e30' }))).toEqual(
        all(guarded, 401),
      );
    });

    it('that takes a body refuses what is not JSON, or too much of it', async () => {
      const taking = context().operations.filter(({ body }) => body);
      const large = JSON.stringify('x'.repeat(context().bodyLimit));

      expect(taking.map(({ id }) => id).toSorted()).toEqual(Object.keys(context().bodies).toSorted());
      expect(await each(taking, (operation) => ask(operation, { raw: '{"a":' }))).toEqual(all(taking, 400));
      expect(await each(taking, (operation) => ask(operation, { raw: large }))).toEqual(all(taking, 413));
      expect(
        await each(taking, (operation) =>
          ask(operation, { raw: 'a=b', headers: { 'content-type': 'text/plain' } }),
        ),
      ).toEqual(all(taking, 415));
    });

    it('that takes a body refuses members that it does not know', async () => {
      const taking = context().operations.filter(({ body, id }) => body && !isSigned(id));

      expect(
        await each(taking, (operation) =>
          ask(operation, {
            raw: JSON.stringify({ ...(context().bodies[operation.id] as object), unknown: 1 }),
          }),
        ),
      ).toEqual(all(taking, 422));
    });

    it('with an id in its path refuses what is none, and says when there is nothing', async () => {
      const addressed = context().operations.filter(({ path }) => path.includes('{'));

      expect(addressed.length).toBeGreaterThan(5);
      expect(await each(addressed, (operation) => ask(operation, { id: 'x' }))).toEqual(all(addressed, 422));
      expect(await each(addressed, (operation) => ask(operation))).toEqual(all(addressed, 404));
    });

    it('that lists refuses limits and cursors that it does not know', async () => {
      const lists = context().operations.filter(({ parameters }) =>
        parameters.some(({ name }) => name === 'cursor'),
      );
      const wrong = [
        'limit=0',
        'limit=101',
        'limit=x',
        'limit=1&limit=2',
        'cursor=x',
        'cursor=W10',
        'offset=3',
      ];
      const ids = lists.map(({ id }) => id);

      expect(ids.length).toBeGreaterThan(2);
      for (const query of wrong) {
        const statuses = await each(lists, ({ path }) =>
          context().api.statusOf('GET', `${path}?${query}`, { as: context().admin }),
        );
        expect({ query, statuses }).toEqual({ query, statuses: all(lists, 422) });
      }
    });

    it('refuses to answer in what it does not speak', async () => {
      const speaking = context().operations.filter(({ responses }) => responses['406']);

      expect(
        await each(speaking, (operation) => ask(operation, { headers: { accept: 'application/xml' } })),
      ).toEqual(all(speaking, 406));
    });
  });
}

/** Statuses that every operation documents and that cannot be had by asking for them: other specs break what it takes. */
const NOT_PROVOKED = ['429', '500', '503'];

/** Last of all: what the document promises and nobody has called would be a promise without a proof. */
export function describePromises(context: () => Pick<Operations, 'api' | 'operations'>): void {
  describe('the promises of the document', () => {
    it('have all been seen to be kept', () => {
      const promised = context().operations.flatMap(({ id, responses }) =>
        Object.keys(responses)
          .filter((status) => !NOT_PROVOKED.includes(status))
          .map((status) => `${id} ${status}`),
      );

      expect(promised.filter((promise) => !context().api.conformance.seen.has(promise))).toEqual([]);
    });
  });
}
