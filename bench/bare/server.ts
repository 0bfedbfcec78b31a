/**
 * The reference server: Fastify, pg with named prepared statements, the same check of the same tokens, the same statements, and
 * nothing else. No validation, no log, no metrics, no limits, no deadlines, no error documents.
 */
import Fastify from 'fastify';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { createVerifier } from 'fast-jwt';
import pg from 'pg';
import { listOrders, placeOrder, readOrder } from './orders.ts';
import type { Placing } from './orders.ts';
import { productById } from './statements.ts';

declare module 'fastify' {
  interface FastifyRequest {
    bareUserId: string;
  }
}

interface ProductRow {
  id: string;
  name: string;
  description: string;
  priceAmount: number;
  currency: string;
  stock: number;
  updatedAt: Date;
}

const { DATABASE_URL, AUTH_TOKEN_SECRET, PORT } = process.env;

pg.types.setTypeParser(pg.types.builtins.INT8, Number);
// As many connections as Holdfast opens.
const pool = new pg.Pool({ connectionString: DATABASE_URL, max: 10, application_name: 'bare' });
const verify = createVerifier({
  key: String(AUTH_TOKEN_SECRET),
  algorithms: ['HS256'],
  allowedIss: 'holdfast',
  allowedAud: 'holdfast-api',
  requiredClaims: ['sub', 'role', 'sid', 'iat', 'exp'],
}) as (token: string) => { sub: string };

const server = Fastify({ logger: false });
server.decorateRequest('bareUserId', '');

function authenticate(request: FastifyRequest, reply: FastifyReply, done: () => void): void {
  try {
    request.bareUserId = verify(String(request.headers.authorization).slice('Bearer '.length)).sub;
  } catch {
    void reply.code(401).send();
    return;
  }
  done();
}

server.get('/ready', async () => ({ status: 'ok' }));

server.get<{ Params: { id: string } }>(
  '/v1/orders/:id',
  { onRequest: authenticate },
  async ({ params, bareUserId }, reply) => {
    return (await readOrder(pool, params.id, bareUserId)) ?? reply.code(404).send();
  },
);

server.get<{ Querystring: { limit?: string } }>(
  '/v1/orders',
  { onRequest: authenticate },
  async ({ query, bareUserId }) => listOrders(pool, bareUserId, Number(query.limit ?? 20)),
);

server.post<{ Body: Placing['body'] }>('/v1/orders', { onRequest: authenticate }, async (request, reply) => {
  const key = String(request.headers['idempotency-key']);
  const answer = await placeOrder(pool, { userId: request.bareUserId, key, body: request.body });
  if (answer === undefined) return reply.code(409).send();
  return reply.code(201).type('application/json; charset=utf-8').send(answer);
});

server.get<{ Params: { id: string } }>('/v1/products/:id', async ({ params }, reply) => {
  const { rows } = await pool.query<ProductRow>({ ...productById, values: [params.id] });
  const [row] = rows;
  if (!row) return reply.code(404).send();
  const { id, name, description, priceAmount: amount, currency, stock, updatedAt } = row;
  return { id, name, description, price: { amount, currency }, stock, updatedAt: updatedAt.toISOString() };
});

process.once('SIGTERM', () => process.exit(0));
await server.listen({ port: Number(PORT), host: '127.0.0.1' });
