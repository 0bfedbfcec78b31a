/**
 * The shipped worker with one more feature: a consumer whose only effect is the inbox row. The effects of shipped consumers
 * (mail, files) would hide the cost of moving and handling an event.
 *
 * Made from the built product; decorators are called as functions, because Node strips types but does not run decorators.
 */
import { join } from 'node:path';
import type { DynamicModule } from '@nestjs/common';
import type { DeliveredEvent } from '../../src/platform/messaging/index.js';

const built = (file: string): Promise<unknown> => import(join(String(process.env.BENCH_DIST), file));
const { settingsOrExit } = (await built(
  'platform/lifecycle/settings.js',
)) as typeof import('../../src/platform/lifecycle/settings.js');
const { startTracing } = (await built(
  'platform/observability/tracing/tracing.js',
)) as typeof import('../../src/platform/observability/tracing/tracing.js');
const { PRODUCT } = (await built('product.js')) as typeof import('../../src/product.js');
const settings = settingsOrExit(PRODUCT);
// Before anything else, as in the worker itself.
await startTracing('worker', settings);
const { NestFactory } = await import('@nestjs/core');
const { runProcess } = (await built(
  'platform/lifecycle/index.js',
)) as typeof import('../../src/platform/lifecycle/index.js');
const messaging = (await built(
  'platform/messaging/index.js',
)) as typeof import('../../src/platform/messaging/index.js');
const { nestLogger } = (await built(
  'platform/observability/index.js',
)) as typeof import('../../src/platform/observability/index.js');
const { WorkerModule } = (await built('worker.module.js')) as typeof import('../../src/worker.module.js');

const QUEUE = 'bench';
const happened = messaging.defineEvent<{ number: number }>('bench.happened', { consumers: [QUEUE] });

class Recorder extends messaging.EventConsumer {
  async onHappened(event: DeliveredEvent): Promise<void> {
    await this.inbox.once(event, () => Promise.resolve());
  }
}
messaging.EventProcessor(QUEUE)(Recorder);
const method = Object.getOwnPropertyDescriptor(Recorder.prototype, 'onHappened');
messaging.Handles(happened)(
  Recorder.prototype,
  'onHappened',
  method as TypedPropertyDescriptor<Recorder['onHappened']>,
);

class ExtendedWorkerModule {}

await runProcess('worker', settings, async ({ log, health }) => {
  const module: DynamicModule = {
    module: ExtendedWorkerModule,
    imports: [
      WorkerModule.forRoot(settings, log.logger, health),
      messaging.MessagingModule.forFeature({ events: [happened], queues: [QUEUE] }),
    ],
    providers: [Recorder],
  };
  const app = await NestFactory.createApplicationContext(module, {
    logger: nestLogger(log.logger),
    abortOnError: false,
  });
  const runtime = app.get(messaging.MessagingRuntime);
  runtime.start();
  return {
    drains: false,
    stopTaking: () => runtime.stopTaking(),
    finish: (timeoutMs: number) => runtime.drain(timeoutMs),
    close: async () => {
      await runtime.close();
      await app.close();
    },
  };
});
