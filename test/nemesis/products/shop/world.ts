import { httpClient, type HttpResponse } from '../../../../local/http.ts';
import type { Client } from '../../clients/client.ts';
import type { KeyedWrite } from '../../clients/keyed-writes.ts';
import { credentials, type SessionBook } from '../../clients/sessions.ts';
import type { Random } from '../../random.ts';
import type { Rig } from '../../rig.ts';

/** What `cli seed:demo` makes. */
const ADMIN = { email: 'admin@example.com', password: 'holdfast-demo-password' };

export interface Person {
  id: string;
  token: string;
}

export interface ShopProduct {
  id: string;
  name: string;
  stock: number;
}

export interface OrderWrite extends KeyedWrite {
  kind: 'order';
  /** Pieces of the hot product. */
  product: string;
  quantity: number;
  /** No other order of this run has it: it is the total, less the hot product's price. */
  number: number;
}

export interface PayWrite extends KeyedWrite {
  kind: 'pay';
}

/** All that the clients of one run begin with and bring about. */
export interface World extends SessionBook {
  admin: Person;
  customers: Person[];
  /** Products that are ordered and changed all the time. */
  hot: ShopProduct[];
  /** Products that number the orders: they cost nearly nothing, and there are plenty. */
  markers: [thousands: string, ones: string];
  writes: (OrderWrite | PayWrite)[];
  /** Numbers that were sent under a used key with another body: they must have no effect. */
  forbidden: number[];
  /** Orders that were acknowledged, latest last. */
  orders: { id: string; owner: Person }[];
  /** Exports that were accepted. */
  exports: { id: string; owner: Person }[];
  nextNumber(): number;
}

/** Far above any number of an order. */
export const HOT_PRICE = 10_000_000;

const worlds = new WeakMap<Rig, World>();

export function worldOf(rig: Rig): World {
  const world = worlds.get(rig);
  if (!world) throw new Error('The shop was not prepared on this rig.');
  return world;
}

export async function createWorld(rig: Rig, random: Random): Promise<void> {
  const seeded = await rig.cli(['seed:demo']);
  if (seeded.code !== 0) throw new Error(`cli seed:demo failed: ${seeded.stdout}${seeded.stderr}`);
  const http = httpClient(rig.urlOf('api-1'));
  const logIn = async ({ email, password }: { email: string; password: string }): Promise<string> =>
    expected(200, await http.post<{ accessToken: string }>('/v1/auth/login', { email, password }))
      .accessToken;
  const secrets = Object.entries(rig.env)
    .filter(([name]) => /SECRET|API_KEY/.test(name))
    .flatMap(([, value]) => value ?? []);
  const newCustomer = async (name: string): Promise<Person> => {
    const person = credentials(name, random);
    const { id } = expected(201, await http.post<{ id: string }>('/v1/auth/register', person));
    const token = await logIn(person);
    secrets.push(person.password, token);
    return { id, token };
  };
  const [dora, emil, token] = [await newCustomer('dora'), await newCustomer('emil'), await logIn(ADMIN)];
  const admin = { id: '', token };
  const add = async (name: string, stock: number, amount: number): Promise<ShopProduct> => {
    const product = { name, description: '', price: { amount, currency: 'EUR' }, stock };
    return expected(201, await http.as(token).post<ShopProduct>('/v1/products', product));
  };
  let number = 1_000;
  worlds.set(rig, {
    admin,
    customers: [dora, emil],
    hot: [
      await add('hot 1', 100_000, HOT_PRICE),
      await add('hot 2', 100_000, HOT_PRICE),
      // Sold out soon, until somebody cancels.
      await add('hot 3', 40, HOT_PRICE),
    ],
    markers: [(await add('thousands', 900_000_000, 1_000)).id, (await add('ones', 900_000_000, 1)).id],
    writes: [],
    forbidden: [],
    sessions: [],
    secrets: [...secrets, token],
    orders: [],
    exports: [],
    nextNumber: () => {
      number += 1;
      // Neither quantity may be 0.
      if (number % 1_000 === 0) number += 1;
      return number;
    },
  });
}

export function newOrder(client: Client, world: World): OrderWrite {
  const { random } = client;
  const owner = random.pick(world.customers);
  const product = random.pick(world.hot).id;
  const quantity = random.integer(1, 3);
  const number = world.nextNumber();
  const write: OrderWrite = {
    key: `${client.name}-${world.writes.length}`,
    kind: 'order',
    owner,
    object: product,
    path: '/v1/orders',
    body: { items: itemsOf(world, product, quantity, number) },
    product,
    quantity,
    number,
    settled: false,
    acknowledged: ({ id }) => world.orders.push({ id, owner }),
  };
  world.writes.push(write);
  return write;
}

export function itemsOf(world: World, product: string, quantity: number, number: number): object[] {
  const [thousands, ones] = world.markers;
  return [
    { productId: product, quantity },
    { productId: thousands, quantity: Math.floor(number / 1_000) },
    { productId: ones, quantity: number % 1_000 },
  ];
}

export function newPayment(
  client: Client,
  world: World,
  { id, owner }: World['orders'][number],
  paymentMethod: string,
): PayWrite {
  const write: PayWrite = {
    key: `${client.name}-${world.writes.length}`,
    kind: 'pay',
    owner,
    object: id,
    path: `/v1/orders/${id}/payments`,
    body: { paymentMethod },
    settled: false,
  };
  world.writes.push(write);
  return write;
}

function expected<T>(status: number, answer: HttpResponse<T>): T {
  if (answer.status !== status) throw new Error(`Not ${status}: ${answer.status} ${answer.text}`);
  return answer.body;
}
