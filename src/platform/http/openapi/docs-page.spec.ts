import { FastifyAdapter } from '@nestjs/platform-fastify';
import type { OpenAPIObject } from '@nestjs/swagger';
import type { FastifyInstance } from 'fastify';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { serveOpenApi } from './docs-page.js';

const DOCUMENT: OpenAPIObject = {
  openapi: '3.1.0',
  info: { title: 'Cakes & <Tea>', version: '1' },
  paths: {},
};
const PATHS = [
  '/openapi.json',
  '/docs',
  '/docs/start.js',
  '/docs/swagger-ui-bundle.js',
  '/docs/swagger-ui.css',
];

describe('The documentation page', () => {
  let fastify: FastifyInstance;
  /** What was sent for each answer. */
  let bodies: unknown[];

  beforeEach(() => {
    fastify = new FastifyAdapter().getInstance();
    bodies = [];
    fastify.addHook('onSend', (_request, _reply, body, done) => {
      bodies.push(body);
      done(null, body);
    });
    serveOpenApi(fastify, DOCUMENT);
  });
  afterEach(() => fastify.close());

  it.each(PATHS)('sends the same buffer for each request of %s', async (path) => {
    expect([await fastify.inject(path), await fastify.inject(path)]).toMatchObject([
      { statusCode: 200 },
      { statusCode: 200 },
    ]);

    expect(bodies[0]).toBeInstanceOf(Buffer);
    expect(bodies[1]).toBe(bodies[0]);
  });

  it('has the title of the document, as text', async () => {
    expect((await fastify.inject('/docs')).body).toContain('<title>Cakes &amp; &lt;Tea> API</title>');
  });

  it('is found with a slash at the end, too', async () => {
    expect(await fastify.inject('/docs/')).toMatchObject({
      statusCode: 302,
      headers: { location: '../docs' },
    });
  });

  it('serves no other file', async () => {
    expect((await fastify.inject('/docs/package.json')).statusCode).toBe(404);
  });
});
