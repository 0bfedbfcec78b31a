import { randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { gzipSync } from 'node:zlib';
import {
  Controller,
  Get,
  Header,
  Headers,
  HttpCode,
  Injectable,
  Module,
  Patch,
  Post,
  Req,
  Res,
} from '@nestjs/common';
import { ApiOperation, ApiProperty, ApiResponse } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import {
  ApiAnswer,
  ApiProblems,
  Compressed,
  Deprecated,
  isNotModified,
  requireMatch,
  Priority,
  Public,
  UuidParam,
} from '../../../src/platform/http/index.js';
import { TransientError } from '../../../src/platform/errors/index.js';

/** Compresses well. */
export const LARGE = 'A line of text.\n'.repeat(5000);

class ThingDto {
  @ApiProperty({ type: 'string' }) name!: string;
}

@Public()
@Controller('v1/things')
class ThingsController {
  @Get('old/:id')
  @Priority('low')
  @Deprecated({
    since: '2026-01-01',
    sunset: '2027-06-30T12:00:00Z',
    link: 'https://example.com/changes#old',
  })
  @ApiOperation({ operationId: 'oldThing', summary: 'A thing in the old way' })
  @ApiAnswer(200, ThingDto)
  @ApiProblems(422)
  old(@UuidParam('id') _id: string): ThingDto {
    return { name: 'old' };
  }

  @Get()
  @ApiOperation({ operationId: 'aThing', summary: 'A thing' })
  @ApiAnswer(200, ThingDto)
  current(): ThingDto {
    return { name: 'current' };
  }
}

/** All of its routes are deprecated, without a date for their removal. */
@Public()
@Deprecated({ since: '2026-01-01' })
@Controller('v0/things')
class FirstThingsController {
  @Post()
  @HttpCode(200)
  @ApiOperation({ operationId: 'firstThing', summary: 'A thing in the first way' })
  @ApiAnswer(200, ThingDto)
  first(): ThingDto {
    return { name: 'first' };
  }
}

/** What the streams of `v1/texts/stream` have done. */
@Injectable()
export class Streams {
  chunks = 0;
  closed = 0;

  /** Without an end, and it does not compress to nothing. */
  open(): Readable {
    const stream = new Readable({
      read: () => {
        this.chunks += 1;
        stream.push(randomBytes(16_384).toString('hex'));
      },
    });
    return stream.on('close', () => (this.closed += 1));
  }
}

const TEXT = { type: 'string' } as const;
const TAG = '"t1"';
const KEPT = 'public, max-age=3600';

const down = () => new TransientError({ code: 'text-storage-down', detail: 'Texts are unavailable.' });

@Public()
@Controller('v1/texts')
class TextsController {
  constructor(private readonly streams: Streams) {}

  @Get('large')
  @Compressed()
  @Priority('low')
  @ApiOperation({ operationId: 'largeText' })
  @ApiResponse({ status: 200, description: '', content: { 'text/plain': { schema: TEXT } } })
  large(@Req() request: FastifyRequest, @Res() reply: FastifyReply): void {
    reply.header('ETag', TAG).type('text/plain; charset=utf-8');
    if (isNotModified(request, TAG)) void reply.code(304).send();
    else void reply.send(LARGE);
  }

  @Patch('large')
  @ApiOperation({ operationId: 'changeText' })
  @ApiAnswer(204)
  @HttpCode(204)
  change(@Headers('if-match') ifMatch: string | undefined): void {
    requireMatch(ifMatch, TAG);
  }

  @Get('small')
  @Compressed()
  @ApiOperation({ operationId: 'smallText' })
  @ApiResponse({ status: 200, description: '', content: { 'text/plain': { schema: TEXT } } })
  small(): string {
    return LARGE.slice(0, 1000);
  }

  @Get('plain')
  @ApiOperation({ operationId: 'plainText' })
  @ApiResponse({ status: 200, description: '', content: { 'text/plain': { schema: TEXT } } })
  plain(): string {
    return LARGE;
  }

  @Get('encoded')
  @Compressed()
  @ApiOperation({ operationId: 'encodedText' })
  @ApiResponse({ status: 200, description: '', content: { 'text/plain': { schema: TEXT } } })
  encoded(@Res() reply: FastifyReply): void {
    void reply.header('Content-Encoding', 'gzip').header('Vary', 'X-Other').send(gzipSync(LARGE));
  }

  @Get('stream')
  @Compressed()
  @ApiOperation({ operationId: 'streamText' })
  @ApiResponse({ status: 200, description: '', content: { 'text/plain': { schema: TEXT } } })
  stream(@Res() reply: FastifyReply): void {
    void reply.type('text/plain; charset=utf-8').send(this.streams.open());
  }

  /** Nest sets these headers before the handler is called. */
  @Get('thrown')
  @Header('Cache-Control', KEPT)
  @Header('ETag', TAG)
  @ApiOperation({ operationId: 'thrownText' })
  @ApiResponse({ status: 200, description: '', content: { 'text/plain': { schema: TEXT } } })
  thrown(): string {
    throw down();
  }

  /** A name that somebody has typed, in a header without encoding. */
  @Get('named')
  @ApiOperation({ operationId: 'namedText' })
  @ApiResponse({ status: 200, description: '', content: { 'text/plain': { schema: TEXT } } })
  named(@Res({ passthrough: true }) reply: FastifyReply): string {
    reply.header('X-Name', 'Zażółć\r\nSet-Cookie: a=b').header('X-Kind', 'text');
    return LARGE;
  }

  @Get('broken')
  @Compressed()
  @ApiOperation({ operationId: 'brokenText' })
  @ApiResponse({ status: 200, description: '', content: { 'text/plain': { schema: TEXT } } })
  broken(@Res() reply: FastifyReply): void {
    const stream = new Readable({ read: () => stream.destroy(down()) });
    const disposition = 'attachment; filename="text.txt"';
    void reply
      .type('text/plain; charset=utf-8')
      .headers({ ETag: TAG, 'Cache-Control': KEPT, 'Content-Disposition': disposition })
      .send(stream);
  }
}

/** Routes that show what a route can declare of itself. */
@Module({ controllers: [ThingsController, FirstThingsController, TextsController], providers: [Streams] })
export class RoutesModule {}
