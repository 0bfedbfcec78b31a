/**
 * The reference for the start of Holdfast: an application with one route, on the framework packages that Holdfast's api loads,
 * connected to the same servers. Plain JavaScript, because Holdfast is built as well; decorators are called as functions.
 */
import 'reflect-metadata';
import '@opentelemetry/api';
import '@opentelemetry/exporter-trace-otlp-http';
import '@opentelemetry/sdk-trace';
import 'bullmq';
import 'class-transformer';
import 'class-validator';
import 'rxjs';
import '@nestjs/swagger';
import { BullModule } from '@nestjs/bullmq';
import { Controller, Get, Module } from '@nestjs/common';
import { ConfigModule } from '@nestjs/config';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { TerminusModule } from '@nestjs/terminus';
import { ThrottlerModule } from '@nestjs/throttler';
import { TypeOrmModule } from '@nestjs/typeorm';
import { PrometheusModule } from '@willsoto/nestjs-prometheus';
import { Redis } from 'ioredis';
import { LoggerModule } from 'nestjs-pino';

const { DATABASE_URL, REDIS_URL, PORT } = process.env;
const redis = new Redis(REDIS_URL, { lazyConnect: true, maxRetriesPerRequest: null });

class AppController {
  ready() {
    return { status: 'ok' };
  }
}
Get('ready')(
  AppController.prototype,
  'ready',
  Object.getOwnPropertyDescriptor(AppController.prototype, 'ready'),
);
Controller()(AppController);

class AppModule {}
Module({
  imports: [
    ConfigModule.forRoot({ ignoreEnvFile: true }),
    LoggerModule.forRoot({ pinoHttp: { autoLogging: false, level: 'warn' } }),
    PrometheusModule.register(),
    TerminusModule,
    ThrottlerModule.forRoot([{ ttl: 60_000, limit: 600 }]),
    TypeOrmModule.forRoot({ type: 'postgres', url: DATABASE_URL, installExtensions: false }),
    BullModule.forRoot({ connection: redis }),
  ],
  controllers: [AppController],
})(AppModule);

process.once('SIGTERM', () => process.exit(0));
await redis.connect();
const app = await NestFactory.create(AppModule, new FastifyAdapter(), { logger: ['error'] });
await app.listen(Number(PORT), '127.0.0.1');
