import { Controller, Get, HttpCode, Module, Post } from '@nestjs/common';
import { ApiOperation, ApiProperty } from '@nestjs/swagger';
import {
  ApiAnswer,
  ApiProblems,
  Deprecated,
  Priority,
  Public,
  UuidParam,
} from '../../../src/platform/http/index.js';

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

/** Routes that show what a route can declare of itself. */
@Module({ controllers: [ThingsController, FirstThingsController] })
export class RoutesModule {}
