import { context, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { InMemorySpanExporter, SimpleSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace';
import fastify from 'fastify';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { TransientError } from '../../errors/index.js';
import { HeadSampling } from './head-sampling.js';
import { RequestTracing } from './request-tracing.js';
import { WorkTracing } from './work-tracing.js';

const TRACEPARENT = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';

const exporter = new InMemorySpanExporter();
const tracer = new TracerProvider({ spanProcessors: [new SimpleSpanProcessor({ exporter })] }).getTracer(
  'test',
);

beforeAll(() => {
  context.setGlobalContextManager(new AsyncLocalStorageContextManager());
});
afterEach(() => exporter.reset());
afterAll(() => context.disable());

/** An application with routes that answer with the id of the trace they run in. */
async function application(ratio: number) {
  const app = fastify();
  const sampling = new HeadSampling(ratio, true);
  new RequestTracing(tracer, sampling).install(app);
  const answer = () => ({ active: sampling.traceId(context.active()) ?? null });
  app.get('/things/:id', answer);
  app.post('/things', answer);
  app.get('/failing', async (request, reply) => {
    request.failure = new TransientError({ code: 'database-unavailable', detail: 'It is away.' });
    return reply.code(503).send();
  });
  await app.ready();
  return app;
}

describe('the span of a request', () => {
  it('is named by the route and has the outcome, without the query', async () => {
    const app = await application(1);

    const { statusCode } = await app.inject({
      url: '/things/7?email=somebody@example.com',
      headers: { 'user-agent': 'curl' },
    });

    expect(statusCode).toBe(200);
    expect(exporter.getFinishedSpans()).toMatchObject([
      {
        name: 'GET /things/:id',
        kind: SpanKind.SERVER,
        status: { code: SpanStatusCode.UNSET },
        attributes: {
          'http.request.method': 'GET',
          'http.route': '/things/:id',
          'http.response.status_code': 200,
          'url.path': '/things/7',
          'url.scheme': 'http',
          'user_agent.original': 'curl',
        },
      },
    ]);
    await app.close();
  });

  it('is active in the handler, also after a body has been read', async () => {
    const app = await application(0);

    const { body } = await app.inject({
      method: 'POST',
      url: '/things',
      payload: { name: 'x' },
      headers: { traceparent: TRACEPARENT },
    });

    expect(JSON.parse(body)).toEqual({ active: TRACEPARENT.slice(3, 35) });
    expect(exporter.getFinishedSpans()).toMatchObject([
      { name: 'POST /things', parentSpanContext: { spanId: TRACEPARENT.slice(36, 52) } },
    ]);
    await app.close();
  });

  it('is marked when it is our failure, and has only the method as its name for an unknown route', async () => {
    const app = await application(1);

    await app.inject('/failing');
    await app.inject('/nowhere/12345');

    expect(exporter.getFinishedSpans()).toMatchObject([
      { status: { code: SpanStatusCode.ERROR }, attributes: { 'error.type': 'database-unavailable' } },
      {
        name: 'GET',
        status: { code: SpanStatusCode.UNSET },
        attributes: { 'http.response.status_code': 404 },
      },
    ]);
    await app.close();
  });

  it('does not exist when the trace is not recorded', async () => {
    const app = await application(0);

    expect((await app.inject('/things/7')).json()).toEqual({ active: null });

    expect(exporter.getFinishedSpans()).toEqual([]);
    await app.close();
  });
});

describe('the span of background work', () => {
  const work = (ratio: number) => new WorkTracing(tracer, new HeadSampling(ratio, true));

  it('joins the trace of its cause', async () => {
    const inside = await work(0).run(
      { name: 'process thing.made', attributes: { 'messaging.message.id': '1' }, traceparent: TRACEPARENT },
      async () => Promise.resolve(trace.getActiveSpan()?.spanContext()),
    );

    expect(exporter.getFinishedSpans()).toMatchObject([
      {
        name: 'process thing.made',
        kind: SpanKind.CONSUMER,
        attributes: { 'messaging.message.id': '1' },
        parentSpanContext: { spanId: TRACEPARENT.slice(36, 52) },
      },
    ]);
    expect(exporter.getFinishedSpans()[0]!.spanContext()).toEqual(inside);
  });

  it('does not exist when its cause was not recorded', async () => {
    expect(
      await work(1).run({ name: 'process thing.made', traceparent: null }, async () =>
        Promise.resolve('done'),
      ),
    ).toBe('done');

    expect(exporter.getFinishedSpans()).toEqual([]);
  });

  it('starts a trace for work without a cause, at the ratio', async () => {
    await work(1).run({ name: 'run sweep' }, async () => Promise.resolve());
    await work(0).run({ name: 'run sweep' }, async () => Promise.resolve());

    expect(exporter.getFinishedSpans()).toMatchObject([{ name: 'run sweep', kind: SpanKind.INTERNAL }]);
  });

  it('is marked when the work fails, and passes the failure on unchanged', async () => {
    const failure = new RangeError('too far');

    await expect(work(1).run({ name: 'run sweep' }, () => Promise.reject(failure))).rejects.toBe(failure);

    expect(exporter.getFinishedSpans()).toMatchObject([
      { status: { code: SpanStatusCode.ERROR }, attributes: { 'error.type': 'RangeError' } },
    ]);
  });
});

describe('the span of a step', () => {
  const tracing = new WorkTracing(tracer, new HeadSampling(1, true));

  it('belongs to the current work, and exists only when that is recorded', async () => {
    await tracing.step('send mail', () => Promise.resolve());
    await tracing.run({ name: 'process thing.made', traceparent: null }, () =>
      tracing.step('send mail', () => Promise.resolve()),
    );
    expect(exporter.getFinishedSpans()).toEqual([]);

    await tracing.run({ name: 'process thing.made', traceparent: TRACEPARENT }, () =>
      tracing.step('send mail', () => Promise.resolve()),
    );
    const [step, work] = exporter.getFinishedSpans();
    expect(step).toMatchObject({ name: 'send mail', kind: SpanKind.CLIENT });
    expect(step!.parentSpanContext?.spanId).toBe(work!.spanContext().spanId);
  });
});
