import { Body, Controller, Get, Patch, Query } from '@nestjs/common';
import { ApiBearerAuth, ApiOperation, ApiTags } from '@nestjs/swagger';
import {
  ApiAnswer,
  ApiPage,
  ApiProblems,
  CurrentCaller,
  PageQuery,
  RequireRole,
  type Caller,
  type Page,
  Priority,
} from '../../platform/http/index.js';
import { UpdateMeDto } from './dto/update-me.dto.js';
import { UserDto } from './dto/user.dto.js';
import { UsersService } from './users.service.js';

@ApiTags('users')
@ApiBearerAuth()
@Controller('v1/users')
export class UsersController {
  constructor(private readonly users: UsersService) {}

  @Get('me')
  @ApiOperation({ operationId: 'getMe', summary: 'The account of the caller' })
  @ApiAnswer(200, UserDto)
  @ApiProblems(401, { 404: 'user-not-found' })
  me(@CurrentCaller() caller: Caller): Promise<UserDto> {
    return this.users.get(caller.userId);
  }

  @Patch('me')
  @ApiOperation({ operationId: 'updateMe', summary: 'Change the account of the caller' })
  @ApiAnswer(200, UserDto)
  @ApiProblems(400, 401, 413, 415, 422, { 404: 'user-not-found' })
  updateMe(@CurrentCaller() caller: Caller, @Body() changes: UpdateMeDto): Promise<UserDto> {
    return this.users.update(caller.userId, changes);
  }

  @Get()
  @Priority('low')
  @RequireRole('admin')
  @ApiOperation({ operationId: 'listUsers', summary: 'All accounts, newest first (admin)' })
  @ApiPage(UserDto)
  @ApiProblems(401, 403, 422)
  list(@Query() query: PageQuery): Promise<Page<UserDto>> {
    return this.users.list(query);
  }
}
