import { Module } from '@nestjs/common';
import { APP_FILTER, APP_PIPE } from '@nestjs/core';
import { httpMetrics } from './telemetry/http.metrics.js';
import { ProblemFilter } from './problems/problem.filter.js';
import { ValidationPipe } from './input/validation.pipe.js';

/** What every route gets: one renderer of errors, one validation of bodies and queries, and its metrics. */
@Module({
  providers: [
    ...httpMetrics,
    { provide: APP_FILTER, useClass: ProblemFilter },
    { provide: APP_PIPE, useClass: ValidationPipe },
  ],
})
export class HttpModule {}
