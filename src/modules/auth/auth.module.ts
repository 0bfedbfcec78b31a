import { Module } from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import { TypeOrmModule } from '@nestjs/typeorm';
import { RedisModule } from '../../platform/redis/index.js';
import { UsersModule } from '../users/index.js';
import { AccessTokens } from './access-tokens.js';
import { AuthController } from './auth.controller.js';
import { AuthService } from './auth.service.js';
import { AuthenticationGuard } from './authentication.guard.js';
import { LoginLimiter } from './login-limiter.js';
import { RevokedSessions } from './revoked-sessions.js';
import { Session } from './session.entity.js';
import { SessionsController } from './sessions.controller.js';
import { SessionsRepository } from './sessions.repository.js';
import { SessionsService } from './sessions.service.js';
import { SessionsSweep } from './sessions.sweep.js';

/** Registration, login, sessions, and the guard that protects every route of the process unless it is `@Public()`. */
@Module({
  imports: [TypeOrmModule.forFeature([Session]), RedisModule, UsersModule],
  controllers: [AuthController, SessionsController],
  providers: [
    AuthService,
    SessionsService,
    SessionsRepository,
    SessionsSweep,
    AccessTokens,
    RevokedSessions,
    LoginLimiter,
    { provide: APP_GUARD, useClass: AuthenticationGuard },
  ],
})
export class AuthModule {}
