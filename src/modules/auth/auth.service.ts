import { Injectable } from '@nestjs/common';
import { normaliseEmail, UsersService, type UserDto } from '../users/index.js';
import { AccessTokens } from './access-tokens.js';
import { invalidCredentials } from './auth.errors.js';
import type { LoginDto } from './dto/login.dto.js';
import type { RegisterDto } from './dto/register.dto.js';
import type { TokensDto } from './dto/tokens.dto.js';
import { LoginLimiter } from './login-limiter.js';
import { SessionsService, type Client } from './sessions.service.js';

@Injectable()
export class AuthService {
  constructor(
    private readonly users: UsersService,
    private readonly sessions: SessionsService,
    private readonly limiter: LoginLimiter,
    private readonly tokens: AccessTokens,
  ) {}

  /** @throws BusinessRuleError 409 `email-taken`. */
  register(registration: RegisterDto): Promise<UserDto> {
    return this.users.register(registration);
  }

  /** @throws ClientError 401 `invalid-credentials`, 429 `quota-exceeded` after repeated failures. */
  async login({ email, password }: LoginDto, client: Client): Promise<TokensDto> {
    const user = await this.limiter.attempt(normaliseEmail(email), client.address, () =>
      this.users.verifyCredentials(email, password),
    );
    if (!user) throw invalidCredentials(this.tokens.scheme);
    return this.sessions.start(user, client);
  }
}
