import { describe, expect, it } from 'vitest';
import type { Operation } from './conformance.js';
import { NOBODY, type Call, type DocumentedApi } from './documented-api.js';

const ADDRESS = { recipient: 'Ada', street: '1 Road', postalCode: '1', city: 'London', country: 'GB' };

/** What every operation of a kind has in common is asked of every operation of that kind, also of those to come. */
export function describeEveryOperation(
  context: () => { api: DocumentedApi; admin: string; bodyLimit: number },
): void {
  describe('every operation', () => {
    /** Bodies that are well-formed for the operations that take one, so that something else about the request is wrong. */
    const bodies: Record<string, unknown> = {
      register: { email: 'late@example.com', password: 'a password of some length', name: 'Late' },
      login: { email: 'late@example.com', password: 'a password of some length' },
      refresh: { refreshToken: 'unknown' },
      updateMe: { name: 'Ada' },
      createProduct: { name: 'Cork Table', price: { amount: 1, currency: 'EUR' }, stock: 1 },
      changeProduct: { stock: 1 },
      placeOrder: { items: [{ productId: NOBODY, quantity: 1 }] },
      payOrder: { paymentMethod: 'pm_card_ok' },
      receivePaymentWebhook: {},
      createExport: { type: 'orders' },
      createAddress: ADDRESS,
      changeAddress: ADDRESS,
    };
    const extra = (id: string) =>
      id === 'receivePaymentWebhook' ? {} : { ...context().api.idempotent(), 'if-match': '*' };
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
        ...(bodies[operation.id] !== undefined &&
          options.raw === undefined && { body: bodies[operation.id] }),
        ...options,
        headers: { ...extra(operation.id), ...options.headers },
      });

    it('that needs a caller refuses strangers', async () => {
      const guarded = context().api.conformance.operations.filter(({ needsCaller }) => needsCaller);

      expect(guarded.length).toBeGreaterThan(15);
      expect(await each(guarded, (operation) => ask(operation, { as: undefined }))).toEqual(
        all(guarded, 401),
      );
      expect(await each(guarded, (operation) => ask(operation, { as: 'e30.e30.e30' }))).toEqual(
        all(guarded, 401),
      );
    });

    it('that takes a body refuses what is not JSON, or too much of it', async () => {
      const taking = context().api.conformance.operations.filter(({ body }) => body);
      const large = JSON.stringify('x'.repeat(context().bodyLimit));

      expect(taking.map(({ id }) => id).toSorted()).toEqual(Object.keys(bodies).toSorted());
      expect(await each(taking, (operation) => ask(operation, { raw: '{"a":' }))).toEqual(all(taking, 400));
      expect(await each(taking, (operation) => ask(operation, { raw: large }))).toEqual(all(taking, 413));
      expect(
        await each(taking, (operation) =>
          ask(operation, { raw: 'a=b', headers: { 'content-type': 'text/plain' } }),
        ),
      ).toEqual(all(taking, 415));
    });

    it('that takes a body refuses members that it does not know', async () => {
      const taking = context().api.conformance.operations.filter(
        ({ body, id }) => body && id !== 'receivePaymentWebhook',
      );

      expect(
        await each(taking, (operation) =>
          ask(operation, { raw: JSON.stringify({ ...(bodies[operation.id] as object), unknown: 1 }) }),
        ),
      ).toEqual(all(taking, 422));
    });

    it('with an id in its path refuses what is none, and says when there is nothing', async () => {
      const addressed = context().api.conformance.operations.filter(({ path }) => path.includes('{'));

      expect(addressed.length).toBeGreaterThan(5);
      expect(await each(addressed, (operation) => ask(operation, { id: 'x' }))).toEqual(all(addressed, 422));
      expect(await each(addressed, (operation) => ask(operation))).toEqual(all(addressed, 404));
    });

    it('that lists refuses limits and cursors that it does not know', async () => {
      const lists = context().api.conformance.operations.filter(({ parameters }) =>
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

      expect(ids.length).toBeGreaterThan(4);
      for (const query of wrong) {
        const statuses = await each(lists, ({ path }) =>
          context().api.statusOf('GET', `${path}?${query}`, { as: context().admin }),
        );
        expect({ query, statuses }).toEqual({ query, statuses: all(lists, 422) });
      }
    });

    it('refuses to answer in what it does not speak', async () => {
      const speaking = context().api.conformance.operations.filter(({ responses }) => responses['406']);

      expect(
        await each(speaking, (operation) => ask(operation, { headers: { accept: 'application/xml' } })),
      ).toEqual(all(speaking, 406));
    });
  });
}
