import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { HttpClient } from '../../local/http.ts';
import { startJsonServer } from '../../local/json-server.ts';
import type { ApiProcess, AppProcess, LogRecord } from '../../local/processes.ts';
import { freePort } from '../../local/servers/ports.ts';
import { startTraceCollector, type CollectedSpan, type TraceCollector } from '../../local/trace-collector.ts';
import { waitFor } from '../../local/wait-for.ts';
import { openCounter, OWNER, type Counter } from './counter.ts';

const SERVER = 2;
const CLIENT = 3;
const CONSUMER = 5;

/** Prints what is loaded of OpenTelemetry and its hooks. */
const TELL_LOADED = `--import=data:text/javascript,${encodeURIComponent(`
  import { registerHooks } from 'node:module';
  registerHooks({
    load(url, context, next) {
      const name = /node_modules\\/(@opentelemetry\\/[^/]+|[a-z]+-in-the-middle)/.exec(url);
      if (name) process.stdout.write('loaded ' + name[1] + '\\n');
      return next(url, context);
    },
  });`)}`;

interface TracedApi {
  api: ApiProcess;
  /** As the owner. */
  http: HttpClient;
}

const says =
  (words: string) =>
  ({ message }: LogRecord): boolean =>
    message?.includes(words) ?? false;

const requestsIn = ({ spans }: TraceCollector): unknown[] =>
  spans.map(({ attributes }) => attributes['app.request_id']);

/** A bank that reads nothing but the trace of its caller. */
async function startCuriousProvider() {
  const traceparents: unknown[] = [];
  const { url, stop } = await startJsonServer({ port: 0, host: '127.0.0.1' }, ({ headers }) => {
    traceparents.push(headers.traceparent);
    return { status: 500 };
  });
  return { url, stop, traceparents };
}

describe('tracing', () => {
  let counter: Counter;
  let collector: TraceCollector;
  let provider: Awaited<ReturnType<typeof startCuriousProvider>>;

  beforeAll(async () => {
    counter = await openCounter({ worker: false });
    collector = await startTraceCollector();
    provider = await startCuriousProvider();
  });
  afterAll(async () => {
    await counter?.close();
    await collector?.stop();
    await provider?.stop();
  });

  /** An api that traces to `endpoint`. */
  async function tracedApi(env: Record<string, string>, endpoint = collector.url): Promise<TracedApi> {
    const api = await counter.stack.api(
      { OTEL_EXPORTER_OTLP_ENDPOINT: endpoint, BANK_URL: provider.url, ...env },
      { within: 60_000 },
    );
    return { api, http: api.http.as(counter.accessToken) };
  }

  const transfer = (http: HttpClient, key: string, headers = {}) =>
    http.post<{ id: string }>('/v1/transfers', counter.nextTransfer(), {
      headers: { 'Idempotency-Key': key, ...headers },
    });

  const withdraw = (http: HttpClient, key: string, headers = {}) =>
    http.post(
      `/v1/accounts/${counter.accounts[0]}/withdrawals`,
      { amount: 1, method: 'pm_card_ok' },
      { headers: { 'Idempotency-Key': key, ...headers } },
    );

  const traceOf = (span: CollectedSpan): CollectedSpan[] =>
    collector.spans.filter(({ traceId }) => traceId === span.traceId);

  describe('of everything', () => {
    let api: ApiProcess;
    let http: HttpClient;
    let worker: AppProcess;

    beforeAll(async () => {
      ({ api, http } = await tracedApi({ TRACING_SAMPLE_RATIO: '1', TRACING_TRUST_INCOMING: 'true' }));
      worker = await counter.stack.worker({
        OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
        TRACING_SAMPLE_RATIO: '0',
      });
    });

    it('follows a transfer from the request through its statements to the receipt of the worker', async () => {
      const { status, headers } = await transfer(http, 'traced-transfer');
      expect(status).toBe(201);
      const requestId = headers.get('x-request-id');
      const request = await collector.waitForSpan(
        ({ attributes }) => attributes['app.request_id'] === requestId,
      );
      expect(request).toMatchObject({
        service: 'holdfast-api',
        name: 'POST /v1/transfers',
        kind: SERVER,
        attributes: { 'http.route': '/v1/transfers', 'http.response.status_code': 201 },
      });
      expect(request.parentSpanId).toBeUndefined();
      // The worker records it although it begins no trace of its own.
      const handling = await collector.waitForSpan(
        ({ traceId, name }) => traceId === request.traceId && name === 'process transfer.made',
      );
      expect(handling).toMatchObject({
        service: 'holdfast-worker',
        kind: CONSUMER,
        parentSpanId: request.spanId,
        attributes: { 'messaging.destination.name': 'receipts' },
      });

      const trace = traceOf(request);
      const statements = (service: string) =>
        trace.filter(({ name, ...span }) => span.service === service && name.startsWith('pg.query:'));
      expect(statements('holdfast-api').map(({ kind }) => kind)).toContain(CLIENT);
      expect(statements('holdfast-api').map(({ name }) => name)).toContainEqual(
        expect.stringContaining('outbox-announce'),
      );
      expect(statements('holdfast-worker').length).toBeGreaterThan(0);
      expect(trace.map(({ name }) => name)).toContain('send mail');
      // Connected: every span but the first has its parent among the others.
      const ids = new Set(trace.map(({ spanId }) => spanId));
      expect(trace.filter(({ parentSpanId }) => !parentSpanId || !ids.has(parentSpanId))).toEqual([request]);
    });

    it('follows a plain job from the request that adds it into the worker that runs it', async () => {
      const { status, headers } = await http.post(`/v1/accounts/${counter.accounts[0]}/prints`);
      expect(status).toBe(202);
      const request = await collector.waitForSpan(
        ({ attributes }) => attributes['app.request_id'] === headers.get('x-request-id'),
      );
      const ofTheTrace = (service: string, words: string) =>
        collector.waitForSpan(
          ({ traceId, name, ...span }) =>
            traceId === request.traceId && span.service === service && name.includes(words),
        );
      await ofTheTrace('holdfast-api', 'outbox');
      expect(await ofTheTrace('holdfast-worker', 'process print')).toMatchObject({
        kind: CONSUMER,
        parentSpanId: request.spanId,
        attributes: { 'messaging.destination.name': 'prints' },
      });
      await ofTheTrace('holdfast-worker', 'pg.query:UPDATE');
    });

    it('passes the trace on to an outside service', async () => {
      const { headers } = await withdraw(http, 'paid');
      const request = await collector.waitForSpan(
        ({ attributes }) => attributes['app.request_id'] === headers.get('x-request-id'),
      );
      const call = await collector.waitForSpan(
        ({ parentSpanId, name }) => parentSpanId === request.spanId && name === 'POST',
      );
      expect(provider.traceparents).toContain(`00-${request.traceId}-${call.spanId}-01`);
    });

    it('puts the id of the trace on the log line of the request', async () => {
      const { headers } = await transfer(http, 'logged-transfer');
      const requestId = headers.get('x-request-id');
      const line = await api.waitForLog((record) => record.requestId === requestId && 'status' in record);
      await collector.waitForSpan(({ traceId }) => traceId === line.traceId);
      expect(line.traceId).toMatch(/^[0-9a-f]{32}$/);
    });

    it('puts it on the log lines of the job too, and marks the failed attempt', async () => {
      await counter.stack.sink.setMood('refuse');
      try {
        const { headers } = await transfer(http, 'failing-handler');
        const requestId = headers.get('x-request-id');
        const line = await worker.waitForLog(
          (record) => record.requestId === requestId && record.level === 'warn',
        );
        const tried = await collector.waitForSpan(
          ({ traceId, name }) => traceId === line.traceId && name === 'process transfer.made',
        );
        expect(tried.status.code).toBe(2);
        const request = await api.waitForLog(
          (record) => record.requestId === requestId && 'status' in record,
        );
        expect(line.traceId).toBe(request.traceId);
      } finally {
        await counter.stack.sink.setMood('ok');
      }
    });

    it('has no error for an invalid request', async () => {
      const { headers } = await api.http.get('/v1/transfers');
      const refused = await collector.waitForSpan(
        ({ attributes }) => attributes['app.request_id'] === headers.get('x-request-id'),
      );
      expect(refused.attributes['http.response.status_code']).toBe(401);
      expect(refused.status.code ?? 0).toBe(0);
    });

    it('never sends user input: no values of statements, no query of the URL', async () => {
      await http.get('/v1/transfers?limit=7');
      const listed = await collector.waitForSpan(
        ({ name, attributes }) =>
          name === 'GET /v1/transfers' && attributes['http.response.status_code'] === 200,
      );
      await collector.waitForSpan(
        ({ traceId, name }) => traceId === listed.traceId && name.startsWith('pg.query'),
      );
      const sent = JSON.stringify(collector.spans);
      expect(sent).not.toContain(OWNER.email);
      expect(sent).not.toContain('limit=7');
    });

    it('does not trace the management port', async () => {
      await api.management.get('/health/ready');
      const { headers } = await http.get('/v1/users/me');
      await collector.waitForSpan(
        ({ attributes }) => attributes['app.request_id'] === headers.get('x-request-id'),
      );
      expect(collector.spans.filter(({ name }) => name.includes('/health'))).toEqual([]);
    });

    it('joins the trace of a caller, and follows its sampling decision', async () => {
      const trace = 'a'.repeat(32);
      const headers = { traceparent: `00-${trace}-${'b'.repeat(16)}-01` };
      await http.get('/v1/users/me', { headers });
      const joined = await collector.waitForSpan(({ traceId, kind }) => traceId === trace && kind === SERVER);
      expect(joined.parentSpanId).toBe('b'.repeat(16));

      const silent = 'c'.repeat(32);
      const answer = await http.get('/v1/users/me', {
        headers: { traceparent: `00-${silent}-${'d'.repeat(16)}-00` },
      });
      const line = await api.waitForLog(
        ({ requestId, status }) => requestId === answer.headers.get('x-request-id') && status === 200,
      );
      expect(line.traceId).toBe(silent);
      const later = await http.get('/v1/users/me');
      await collector.waitForSpan(
        ({ attributes }) => attributes['app.request_id'] === later.headers.get('x-request-id'),
      );
      expect(collector.spans.filter(({ traceId }) => traceId === silent)).toEqual([]);
    });

    it('sends its remaining spans before the process exits', async () => {
      const { headers } = await http.get('/v1/users/me');
      expect(await api.stop('SIGTERM')).toMatchObject({ code: 0 });
      expect(requestsIn(collector)).toContain(headers.get('x-request-id'));
    });
  });

  it('records nothing at ratio 0, propagates that, and ignores decisions of callers unless they are trusted', async () => {
    // Its own: the worker may still send what it has retried.
    const untouched = await startTraceCollector();
    const { api, http } = await tracedApi({ TRACING_SAMPLE_RATIO: '0' }, untouched.url);
    const headers = { traceparent: `00-${'e'.repeat(32)}-${'f'.repeat(16)}-01` };
    const asked = provider.traceparents.length;
    await withdraw(http, 'unrecorded', headers);
    expect(provider.traceparents[asked]).toMatch(/^00-(?!e{32})[0-9a-f]{32}-[0-9a-f]{16}-00$/);
    expect(await api.stop('SIGTERM')).toMatchObject({ code: 0 });
    expect(untouched.exports).toBe(0);
    await untouched.stop();
    expect(api.logs.filter(({ traceId }) => traceId !== undefined)).toEqual([]);
  });

  describe('while the collector accepts nothing', () => {
    /** Six seconds of requests, of which every one would be recorded: several exports fail meanwhile. */
    async function serveWithoutCollector({ api, http }: TracedApi) {
      const durations: number[] = [];
      const until = Date.now() + 6000;
      while (Date.now() < until) {
        const { status, durationMs } = await http.get('/v1/transfers');
        expect(status).toBe(200);
        durations.push(durationMs);
      }
      // Far less than an export may take, of which there were several. One of them may be slow because the machine was busy.
      const [, secondSlowest] = durations.toSorted((a, b) => b - a);
      expect(secondSlowest).toBeLessThan(1500);
      expect((await transfer(http, `without-collector-${api.port}`)).status).toBe(201);
      expect((await api.management.get('/health/ready')).status).toBe(200);
      await api.waitForLog(says('does not accept spans'));
      expect(api.logs.filter(says('trace collector')).map(({ level }) => level)).toEqual(['warn']);
    }

    async function endsInTime({ api }: TracedApi) {
      expect(await api.stop('SIGTERM')).toMatchObject({ code: 0 });
      // By its own account: the last flush may take a second, each export that nobody takes would take two.
      const { durationMs } = await api.waitForLog(says('shutdown complete'));
      expect(durationMs).toBeLessThan(5000);
    }

    it('changes no answer and delays no shutdown when it hangs', async () => {
      const hanging = await startTraceCollector();
      try {
        const traced = await tracedApi({ TRACING_SAMPLE_RATIO: '1' }, hanging.url);
        await traced.http.get('/v1/users/me');
        await hanging.waitForSpan(() => true);
        hanging.hangs = true;
        await serveWithoutCollector(traced);
        await endsInTime(traced);
      } finally {
        await hanging.stop();
      }
    });

    it('changes no answer and delays no shutdown when it is down, and sends again when it is back', async () => {
      const port = await freePort();
      const traced = await tracedApi({ TRACING_SAMPLE_RATIO: '1' }, `http://127.0.0.1:${port}`);
      await serveWithoutCollector(traced);
      const back = await startTraceCollector(port);
      try {
        const { headers } = await traced.http.get('/v1/users/me');
        await waitFor(() => requestsIn(back).includes(headers.get('x-request-id')));
        await traced.api.waitForLog(says('accepts spans again'));
      } finally {
        await back.stop();
      }
      await traced.http.get('/v1/users/me');
      await endsInTime(traced);
    });
  });

  it('loads none of its packages when it is off', async () => {
    const api = await counter.stack.api({ NODE_OPTIONS: TELL_LOADED }, { within: 60_000 });
    const loaded = new Set(
      api.logs.flatMap(({ message }) => (message?.startsWith('loaded ') ? [message.slice(7)] : [])),
    );
    // prom-client asks the API package, which does nothing by itself, for the current span.
    expect([...loaded]).toEqual(['@opentelemetry/api']);
  });
});
