import { Injectable } from '@nestjs/common';
import { RequestContext } from '../../platform/context/index.js';
import { newId, UnitOfWork } from '../../platform/database/index.js';
import { BusinessRuleError, ClientError } from '../../platform/errors/index.js';
import { decodeCursor, pageOf, type Caller, type Page, type PageQuery } from '../../platform/http/index.js';
import { Outbox, OutboxLimit } from '../../platform/messaging/index.js';
import { ProductsService, type Quantity, type ReservedItem } from '../products/index.js';
import type { OrderDto } from './dto/order.dto.js';
import {
  OrderExportRepository,
  type OrderExportFilter,
  type OrderExportRow,
} from './order-export.repository.js';
import { canBecome } from './order-status.js';
import { orderCancelled, orderPlaced, type OrderEvent } from './orders.events.js';
import { OrdersRepository, type LockedOrder, type NewOrder, type OrderRow } from './orders.repository.js';

/** The amount to be paid for an order. */
export interface AmountDue {
  amount: number;
  currency: string;
}

@Injectable()
export class OrdersService {
  constructor(
    private readonly orders: OrdersRepository,
    private readonly exported: OrderExportRepository,
    private readonly products: ProductsService,
    private readonly outbox: Outbox,
    private readonly outboxLimit: OutboxLimit,
    private readonly unitOfWork: UnitOfWork,
  ) {}

  /**
   * Reserves the stock and places the order, or does neither. A product that is listed twice becomes one item.
   * @throws BusinessRuleError 409 `insufficient-stock`; ClientError 422 `unknown-product`, `mixed-currencies`,
   *   `order-too-large`; TransientError `backlog-full`
   */
  async place(userId: string, wanted: Quantity[]): Promise<OrderDto> {
    this.outboxLimit.requireRoom();
    return this.unitOfWork.run(async () => {
      const items = await this.products.reserve(wanted).catch((error: unknown) => {
        throw pointingAtItem(error, wanted);
      });
      const order = { id: newId(), userId, items, totalAmount: totalOf(items), currency: currencyOf(items) };
      const [placedAt] = await Promise.all([
        this.orders.insert(order),
        this.outbox.announce(orderPlaced, eventOf(order), { key: order.id }),
      ]);
      return present({
        ...order,
        status: 'pending',
        createdAt: placedAt,
        updatedAt: placedAt,
      });
    });
  }

  /** An order of the caller, or any order for an admin. @throws ClientError 404 `order-not-found` */
  async get(id: string, caller: Caller): Promise<OrderDto> {
    const order = await this.orders.findById(id);
    if (!order || (order.userId !== caller.userId && caller.role !== 'admin')) throw orderNotFound();
    return present(order);
  }

  /** The caller's orders, or all orders for an admin, newest first. */
  async list(caller: Caller, { limit, cursor }: PageQuery): Promise<Page<OrderDto>> {
    const [before] = decodeCursor<[string]>(cursor, ['uuid']) ?? [];
    const rows =
      caller.role === 'admin'
        ? await this.orders.page(limit + 1, before)
        : await this.orders.pageOfUser(caller.userId, limit + 1, before);
    return pageOf(rows, limit, ({ id }) => [id], present);
  }

  /**
   * Cancels an order and returns its stock.
   * @throws ClientError 404 `order-not-found`; BusinessRuleError 409 `order-not-cancellable`: it is no longer pending,
   *   or a payment for it may be in progress
   */
  async cancel(id: string, caller: Caller): Promise<OrderDto> {
    return this.unitOfWork.run(async () => {
      const order = await this.lockOwn(id, caller.userId);
      if (!canBecome(order.status, 'cancelled')) {
        throw notCancellable(`The order is ${order.status}.`);
      }
      if (order.paymentId) throw notCancellable('A payment for the order is in progress.');
      await this.products.release(order.items);
      const updatedAt = await this.orders.setStatus(id, 'cancelled');
      await this.outbox.announce(orderCancelled, eventOf(order), { key: id });
      return present({ ...order, status: 'cancelled', updatedAt });
    });
  }

  /**
   * Binds an order to a payment that is about to be made, inside the caller's unit of work: until the payment is settled, the
   * order can neither be paid again nor be cancelled.
   * @throws ClientError 404 `order-not-found`; BusinessRuleError 409 `order-not-payable`, `payment-in-progress`
   */
  async holdForPayment(id: string, userId: string, paymentId: string): Promise<AmountDue> {
    const order = await this.lockOwn(id, userId);
    if (!canBecome(order.status, 'paid')) {
      throw new BusinessRuleError({
        status: 409,
        /** The order is paid or cancelled already. Read the order. */
        code: 'order-not-payable',
        detail: `The order is ${order.status}.`,
      });
    }
    if (order.paymentId) {
      throw new BusinessRuleError({
        status: 409,
        /** Another payment for this order is not settled yet. Wait until it is, then read the order. */
        code: 'payment-in-progress',
        detail: 'Another payment for this order is not settled yet.',
      });
    }
    await this.orders.setPayment(id, paymentId);
    return { amount: order.totalAmount, currency: order.currency };
  }

  /** The payment that holds the order has succeeded. Inside the caller's unit of work. */
  async markPaid(id: string, paymentId: string): Promise<void> {
    const order = await this.lockHeldBy(id, paymentId);
    if (!canBecome(order.status, 'paid'))
      throw new Error(`Order ${id} is ${order.status} and cannot be paid`);
    await this.orders.setStatus(id, 'paid');
  }

  /** The payment that holds the order has failed; another may be tried. Inside the caller's unit of work. */
  async releaseFromPayment(id: string, paymentId: string): Promise<void> {
    await this.lockHeldBy(id, paymentId);
    await this.orders.setPayment(id, null);
  }

  /**
   * Orders in batches, for an export: oldest first, all as of one moment, in the memory of one batch.
   * Holds a database connection until the iteration ends.
   */
  exportRows(filter: OrderExportFilter, batchSize: number): AsyncIterable<OrderExportRow[]> {
    return this.exported.rows(filter, batchSize);
  }

  /** How many rows `exportRows` would return at this moment. */
  countForExport(filter: OrderExportFilter): Promise<number> {
    return this.exported.count(filter);
  }

  private async lockOwn(id: string, userId: string): Promise<LockedOrder> {
    const order = await this.orders.lock(id);
    if (!order || order.userId !== userId) throw orderNotFound();
    return order;
  }

  private async lockHeldBy(id: string, paymentId: string): Promise<LockedOrder> {
    const order = await this.orders.lock(id);
    if (order?.paymentId !== paymentId) throw new Error(`Order ${id} is not held by payment ${paymentId}`);
    return order;
  }
}

/** Products do not know our request's body; the customer needs to know which item it was. */
function pointingAtItem(error: unknown, wanted: Quantity[]): unknown {
  if (!(error instanceof ClientError) || error.code !== 'unknown-product') return error;
  const index = wanted.findIndex(({ productId }) => productId.toLowerCase() === error.extensions.productId);
  return new ClientError({
    status: 422,
    code: error.code,
    detail: error.message,
    errors: [{ pointer: `/items/${index}/productId`, code: error.code, message: error.message }],
    cause: error,
  });
}

function currencyOf(items: ReservedItem[]): string {
  const [currency = '', ...others] = new Set(items.map((item) => item.currency));
  if (others.length === 0) return currency;
  throw refusedItems({
    status: 422,
    /** The items have prices in different currencies. Place an order for each currency. */
    code: 'mixed-currencies',
    detail: 'All items of an order must have prices in one currency.',
  });
}

function totalOf(items: ReservedItem[]): number {
  const total = items.reduce((sum, { unitPrice, quantity }) => sum + unitPrice * quantity, 0);
  if (Number.isSafeInteger(total)) return total;
  throw refusedItems({
    status: 422,
    /** The total of the order is larger than can be charged. Order less. */
    code: 'order-too-large',
    detail: 'The total of the order is larger than can be charged.',
  });
}

function refusedItems(problem: { status: 422; code: string; detail: string }): ClientError {
  const { code, detail } = problem;
  return new ClientError({ ...problem, errors: [{ pointer: '/items', code, message: detail }] });
}

function notCancellable(detail: string): BusinessRuleError {
  return new BusinessRuleError({
    status: 409,
    /** The order is paid, or a payment for it is not settled yet. Read the order. */
    code: 'order-not-cancellable',
    detail,
  });
}

/** Also for another customer's order: the answer must not reveal that it exists. */
function orderNotFound(): ClientError {
  return new ClientError({
    status: 404,
    /** The caller has no order with this id. */
    code: 'order-not-found',
    detail: 'There is no such order.',
  });
}

function eventOf({ id, userId, totalAmount, currency }: NewOrder): OrderEvent {
  const language = RequestContext.current()?.language;
  return { orderId: id, userId, amount: totalAmount, currency, language };
}

function present(row: OrderRow): OrderDto {
  const { currency } = row;
  return {
    id: row.id,
    status: row.status,
    items: row.items.map(({ productId, name, quantity, unitPrice }) => ({
      productId,
      name,
      quantity,
      unitPrice: { amount: unitPrice, currency },
    })),
    total: { amount: row.totalAmount, currency },
    createdAt: row.createdAt.toISOString(),
    updatedAt: row.updatedAt.toISOString(),
  };
}
