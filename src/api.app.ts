import type { Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import type { OpenAPIObject } from '@nestjs/swagger';
import type { FastifyInstance } from 'fastify';
import type { Counter, Histogram } from 'prom-client';
import { getToken } from '@willsoto/nestjs-prometheus';
import { ApiModule } from './api.module.js';
import type { Settings } from './config/index.js';
import { Database } from './platform/database/index.js';
import { LANGUAGES } from './languages/index.js';
import { PROBLEMS } from './product.modules.js';
import {
  Connections,
  createHttpAdapter,
  createOpenApiDocument,
  HTTP_CONNECTIONS_REFUSED,
  HTTP_DURATION,
  HTTP_SHED,
  InFlight,
  installAccessLog,
  installConnectionLog,
  installShedLog,
  LoadShedder,
  serialiseAsDocumented,
  serveOpenApi,
  injectRouteFaults,
  writeProblemsAs,
} from './platform/http/index.js';
import { speak } from './platform/languages/index.js';
import { HealthRegistry } from './platform/health/index.js';
import type { FaultInjector } from './platform/resilience/index.js';
import { OverloadSignal } from './platform/redis/index.js';
import {
  createProcessLog,
  nestLogger,
  traceRequests,
  type ProcessLog,
} from './platform/observability/index.js';

/**
 * The public application, ready to `listen`. In tests it is made without a process around it.
 * @param health where its dependencies report for readiness
 * @param faults what may be switched on to fail, outside production
 * @param features what takes the place of the product; tests of the platform have a feature of their own
 */
export async function createApi(
  settings: Settings,
  log: ProcessLog = createProcessLog(settings, 'api'),
  health: HealthRegistry = new HealthRegistry(),
  faults?: FaultInjector,
  features?: Type[],
): Promise<NestFastifyApplication> {
  speak(LANGUAGES);
  writeProblemsAs(PROBLEMS, settings.http.problemTypeBase);
  const inFlight = new InFlight();
  const shedder = new LoadShedder(
    inFlight,
    settings.overload.maxInFlight,
    settings.overload.eventLoopDelayMs,
  );
  const connections = new Connections(settings.http);
  const adapter = createHttpAdapter(settings.http, { connections, inFlight, shedder });
  const app = await NestFactory.create<NestFastifyApplication>(
    ApiModule.forRoot(settings, log.logger, health, faults, features),
    adapter,
    {
      bodyParser: false,
      logger: nestLogger(log.logger),
      abortOnError: false,
    },
  );
  const fastify: FastifyInstance = adapter.getInstance();
  traceRequests(fastify);
  installAccessLog(connections, log.access, app.get<Histogram>(getToken(HTTP_DURATION)));
  const database = app.get(Database, { strict: false });
  shedder.watchDatabase(() => database.queueLoad);
  const overload = app.get(OverloadSignal);
  shedder.onShed(() => void overload.raise());
  installShedLog(shedder, log.logger, app.get<Counter>(getToken(HTTP_SHED)));
  installConnectionLog(connections, log.logger, app.get<Counter>(getToken(HTTP_CONNECTIONS_REFUSED)));
  if (faults) injectRouteFaults(fastify, faults);
  const document = createOpenApiDocument(app, settings);
  serialiseAsDocumented(fastify, document);
  if (settings.http.docsEnabled ?? !settings.app.isProduction) serveOpenApi(fastify, document);
  await app.init();
  return app;
}

/** The OpenAPI document of the application. Nothing is started for it, and no server is needed. */
export async function describeApi(settings: Settings, features?: Type[]): Promise<OpenAPIObject> {
  writeProblemsAs(PROBLEMS, settings.http.problemTypeBase);
  const { logger } = createProcessLog(settings, 'api');
  const app = await NestFactory.create<NestFastifyApplication>(
    ApiModule.forRoot(settings, logger, new HealthRegistry(), undefined, features),
    new FastifyAdapter(),
    { preview: true, logger: false },
  );
  return createOpenApiDocument(app, settings);
}
