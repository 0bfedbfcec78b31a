import { timingSafeEqual } from 'node:crypto';
import {
  Body,
  CanActivate,
  Controller,
  Delete,
  Get,
  HttpCode,
  Inject,
  Injectable,
  Put,
  Query,
  UseFilters,
  UseGuards,
  UsePipes,
  type ExecutionContext,
} from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { ClientError } from '../errors/index.js';
import { EnumField, IntField, ProblemFilter, StringField, ValidationPipe } from '../http/index.js';
import { FaultInjector, type Fault } from '../resilience/index.js';

export const FAULTS_TOKEN = Symbol('FAULTS_TOKEN');

class FaultDto {
  @StringField({
    pattern: /^(dependency:.+|route:[A-Z]+ \/.*)$/,
    patternName: '"dependency:<name>" or "route:<METHOD> <pattern>"',
    max: 200,
  })
  target!: string;

  @EnumField(['slow', 'fail', 'block'])
  kind!: Fault['kind'];

  @IntField({ min: 1, max: 60_000, optional: true })
  delayMs?: number;

  @IntField({ min: 1, max: 100, optional: true, description: 'Percentage of calls that are affected.' })
  percent?: number;
}

/** Admits requests with the token of `FAULTS_TOKEN`. */
@Injectable()
export class FaultsGuard implements CanActivate {
  constructor(@Inject(FAULTS_TOKEN) private readonly token: string) {}

  canActivate(context: ExecutionContext): boolean {
    const { headers } = context.switchToHttp().getRequest<FastifyRequest>();
    const given = Buffer.from(headers.authorization ?? '');
    const wanted = Buffer.from(`Bearer ${this.token}`);
    if (given.length === wanted.length && timingSafeEqual(given, wanted)) return true;
    throw new ClientError({
      status: 401,
      code: 'unauthenticated',
      detail: 'The fault routes require the token of FAULTS_TOKEN.',
      headers: { 'WWW-Authenticate': 'Bearer' },
    });
  }
}

/** Faults on demand, on the management port, outside production. Probes and metrics are never hit. */
@Controller('faults')
@UseGuards(FaultsGuard)
@UseFilters(ProblemFilter)
@UsePipes(ValidationPipe)
export class FaultsController {
  constructor(private readonly faults: FaultInjector) {}

  @Get()
  list(): { faults: ReturnType<FaultInjector['list']> } {
    return { faults: this.faults.list() };
  }

  @Put()
  @HttpCode(200)
  set(@Body() { target, kind, delayMs, percent }: FaultDto): { faults: ReturnType<FaultInjector['list']> } {
    if (!target.startsWith('route:') && !this.faults.targets.includes(target))
      throw unknown(target, this.faults);
    this.faults.set(target, { kind, delayMs, rate: percent === undefined ? undefined : percent / 100 });
    return this.list();
  }

  /** Without `?target=` all of them. */
  @Delete()
  @HttpCode(200)
  clear(@Query('target') target?: string): { faults: ReturnType<FaultInjector['list']> } {
    this.faults.clear(target);
    return this.list();
  }
}

/** A fault that hits nothing would look like a system that withstands it. */
function unknown(target: string, { targets }: FaultInjector): ClientError {
  const message = `${target} is not a dependency of this process; known are ${targets.join(', ')}.`;
  return new ClientError({
    status: 422,
    code: 'validation-failed',
    detail: message,
    errors: [{ pointer: '/target', code: 'unknown-dependency', message }],
  });
}
