import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { ExportResultCode, type ExportResult } from '@opentelemetry/core';
import {
  InMemorySpanExporter,
  SimpleSpanProcessor,
  TracerProvider,
  type ReadableSpan,
} from '@opentelemetry/sdk-trace';
import pino from 'pino';
import { expect, it } from 'vitest';
import { HttpSpanExporter } from './span-exporter.js';

function spans(): ReadableSpan[] {
  const memory = new InMemorySpanExporter();
  const provider = new TracerProvider({ spanProcessors: [new SimpleSpanProcessor({ exporter: memory })] });
  provider.getTracer('test').startSpan('work').end();
  return memory.getFinishedSpans();
}

it('reports once that the collector accepts nothing, and once that it does again', async () => {
  let status = 400;
  const asked: (string | undefined)[] = [];
  const server = createServer((request, response) => {
    asked.push(request.url);
    request
      .resume()
      .on('end', () => response.writeHead(status, { 'content-type': 'application/json' }).end('{}'));
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const lines: { level: number; msg: string }[] = [];
  const exporter = new HttpSpanExporter(
    `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1/traces`,
  );
  exporter.reportTo(
    pino({}, { write: (line) => lines.push(JSON.parse(line) as { level: number; msg: string }) }),
  );
  const send = () => new Promise<ExportResult>((resolve) => exporter.export(spans(), resolve));

  expect((await send()).code).toBe(ExportResultCode.FAILED);
  expect((await send()).code).toBe(ExportResultCode.FAILED);
  status = 200;
  expect((await send()).code).toBe(ExportResultCode.SUCCESS);
  expect((await send()).code).toBe(ExportResultCode.SUCCESS);

  expect(asked).toEqual(Array(4).fill('/v1/traces'));
  expect(lines.map(({ level, msg }) => [level, msg])).toEqual([
    [40, 'The trace collector does not accept spans; dropping them'],
    [30, 'The trace collector accepts spans again'],
  ]);
  await exporter.forceFlush();
  await exporter.shutdown();
  server.closeAllConnections();
  server.close();
});
