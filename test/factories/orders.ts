import type { OrderDto } from '../../src/modules/orders/dto/order.dto.js';
import { withKey } from './keys.ts';
import type { TestUser } from './users.ts';

/** Places an order for one product. */
export async function newOrder(customer: TestUser, productId: string, quantity = 1): Promise<OrderDto> {
  const items = [{ productId, quantity }];
  const { status, body, text } = await customer.http.post<OrderDto>('/v1/orders', { items }, withKey());
  if (status !== 201) throw new Error(`No order was placed: ${status} ${text}`);
  return body;
}
