import { Controller, Delete, Get, HttpCode, Query } from '@nestjs/common';
import { ApiBearerAuth, ApiOperation, ApiTags } from '@nestjs/swagger';
import {
  ApiAnswer,
  ApiPage,
  ApiProblems,
  CurrentCaller,
  PageQuery,
  UuidParam,
  type Caller,
  type Page,
  Priority,
} from '../../platform/http/index.js';
import { SessionDto } from './dto/session.dto.js';
import { SessionsService } from './sessions.service.js';

@ApiTags('auth')
@ApiBearerAuth()
@Controller('v1/auth/sessions')
export class SessionsController {
  constructor(private readonly sessions: SessionsService) {}

  @Get()
  @Priority('low')
  @ApiOperation({ operationId: 'listSessions', summary: 'Active sessions of the caller, newest first' })
  @ApiPage(SessionDto)
  @ApiProblems(401, 422)
  list(@CurrentCaller() caller: Caller, @Query() query: PageQuery): Promise<Page<SessionDto>> {
    return this.sessions.list(caller, query);
  }

  @Delete(':id')
  @HttpCode(204)
  @ApiOperation({
    operationId: 'endSession',
    summary: 'End one session of the caller; its tokens are rejected at once',
  })
  @ApiAnswer(204)
  @ApiProblems(401, 422, { 404: 'session-not-found' })
  end(@CurrentCaller() caller: Caller, @UuidParam('id') id: string): Promise<void> {
    return this.sessions.end(id, caller.userId);
  }
}
