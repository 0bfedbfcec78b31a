import { Body, Controller, HttpCode, Post, Req, UseGuards } from '@nestjs/common';
import { ApiBearerAuth, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import {
  ApiAnswer,
  ApiProblems,
  clientAddress,
  CurrentCaller,
  Public,
  type Caller,
  Priority,
} from '../../platform/http/index.js';
import { UserDto } from '../users/index.js';
import { AuthService } from './auth.service.js';
import { LoginDto } from './dto/login.dto.js';
import { RefreshDto } from './dto/refresh.dto.js';
import { RegisterDto } from './dto/register.dto.js';
import { TokensDto } from './dto/tokens.dto.js';
import { RegistrationLimit } from './registration-limit.guard.js';
import { SessionsService } from './sessions.service.js';

@ApiTags('auth')
@Controller('v1/auth')
export class AuthController {
  constructor(
    private readonly auth: AuthService,
    private readonly sessions: SessionsService,
  ) {}

  @Post('register')
  @Public()
  @UseGuards(RegistrationLimit)
  @ApiOperation({ operationId: 'register', summary: 'Create an account' })
  @ApiAnswer(201, UserDto)
  @ApiProblems(400, 413, 415, 422, 429, { 409: 'email-taken' })
  register(@Body() registration: RegisterDto): Promise<UserDto> {
    return this.auth.register(registration);
  }

  @Post('login')
  @Priority('critical')
  @Public()
  @HttpCode(200)
  @ApiOperation({ operationId: 'login', summary: 'Begin a session' })
  @ApiAnswer(200, TokensDto)
  @ApiProblems(400, 413, 415, 422, 429, { 401: 'invalid-credentials' })
  login(@Body() credentials: LoginDto, @Req() request: FastifyRequest): Promise<TokensDto> {
    const userAgent = request.headers['user-agent'];
    return this.auth.login(credentials, { address: clientAddress(request), userAgent });
  }

  @Post('refresh')
  @Priority('critical')
  @Public()
  @HttpCode(200)
  @ApiOperation({
    operationId: 'refresh',
    summary: 'Exchange the refresh token; reusing one after its successor was used ends the session',
  })
  @ApiAnswer(200, TokensDto)
  @ApiProblems(400, 413, 415, 422, { 401: 'invalid-refresh-token' })
  refresh(@Body() { refreshToken }: RefreshDto): Promise<TokensDto> {
    return this.sessions.refresh(refreshToken);
  }

  @Post('logout')
  @HttpCode(204)
  @ApiBearerAuth()
  @ApiOperation({ operationId: 'logout', summary: 'End the current session' })
  @ApiAnswer(204)
  @ApiProblems(401)
  logout(@CurrentCaller() caller: Caller): Promise<void> {
    return this.sessions.endCurrent(caller);
  }
}
