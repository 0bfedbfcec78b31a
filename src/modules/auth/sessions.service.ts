import { isIP } from 'node:net';
import { setImmediate as turn, setTimeout as delay } from 'node:timers/promises';
import { Inject, Injectable, Logger } from '@nestjs/common';
import { Settings } from '../../config/index.js';
import { RequestContext } from '../../platform/context/index.js';
import { newId } from '../../platform/database/index.js';
import { decodeCursor, pageOf, type Caller, type Page, type PageQuery } from '../../platform/http/index.js';
import type { VerifiedUser } from '../users/index.js';
import { AccessTokens } from './access-tokens.js';
import { invalidRefreshToken, sessionNotFound } from './auth.errors.js';
import type { SessionDto } from './dto/session.dto.js';
import type { TokensDto } from './dto/tokens.dto.js';
import { newRefreshToken, nextRefreshToken, parseRefreshToken } from './refresh-token.js';
import { RevokedSessions } from './revoked-sessions.js';
import type { Session } from './session.entity.js';
import { SessionsRepository } from './sessions.repository.js';

/** What is known about a client besides its credentials. */
export interface Client {
  address: string;
  userAgent: string | undefined;
}

const MAX_USER_AGENT = 300;
/** Milliseconds in which the end of a connection arrives, when its client has hung up. */
const HANG_UP_WITHIN_MS = 500;

@Injectable()
export class SessionsService {
  private readonly logger = new Logger(SessionsService.name);
  private readonly ttlSeconds: number;
  private readonly maxPerUser: number;

  constructor(
    private readonly sessions: SessionsRepository,
    private readonly tokens: AccessTokens,
    private readonly revoked: RevokedSessions,
    @Inject(Settings) { auth }: Settings,
  ) {
    this.ttlSeconds = auth.refreshTokenTtlSeconds;
    this.maxPerUser = auth.maxSessionsPerUser;
  }

  /** Begins a session of a user that has just been authenticated. */
  async start(user: VerifiedUser, { address, userAgent }: Client): Promise<TokensDto> {
    const id = newId();
    const refreshToken = newRefreshToken();
    const ended = await this.sessions.insert({
      id,
      userId: user.id,
      familyHash: refreshToken.familyHash,
      tokenHash: refreshToken.tokenHash,
      userAgent: userAgent?.slice(0, MAX_USER_AGENT) ?? null,
      ipAddress: isIP(address) ? address : null,
      ttlSeconds: this.ttlSeconds,
      maxPerUser: this.maxPerUser,
    });
    for (const surplus of ended) this.revoked.add(surplus);
    return this.answer({ userId: user.id, role: user.role, sessionId: id }, refreshToken.token);
  }

  /**
   * Exchanges a refresh token for new tokens. A token that is presented again is a retry as long as none of its successors was
   * used. After that two parties hold it, the server cannot know which of them is the thief, and the session ends (RFC 9700
   * section 4.14.2). Unless its client has hung up: then it was on its way for so long that the client has repeated it elsewhere
   * and used the answer. A thief who hangs up gets nothing.
   * @throws ClientError 401 `invalid-refresh-token`.
   */
  async refresh(given: string): Promise<TokensDto> {
    const used = parseRefreshToken(given);
    if (!used) throw invalidRefreshToken(this.tokens.scheme);
    const next = nextRefreshToken(used);
    const session = await this.sessions.rotate(used, next.tokenHash, this.ttlSeconds);
    if (!session) {
      await this.endFamily(used.familyHash);
      throw invalidRefreshToken(this.tokens.scheme);
    }
    const { id: sessionId, userId, role, retried } = session;
    if (retried) this.logger.log({ sessionId, userId }, 'A refresh was retried before its answer was used');
    return this.answer({ userId, role, sessionId }, next.token);
  }

  /** Ends a session of a user at once: its tokens are rejected from now on. @throws ClientError 404 `session-not-found`. */
  async end(id: string, userId: string): Promise<void> {
    if (!(await this.sessions.revoke(id, userId))) throw sessionNotFound();
    this.revoked.add(id);
  }

  /** Logs out; a session that has already ended is no error. */
  async endCurrent({ sessionId, userId }: Caller): Promise<void> {
    await this.sessions.revoke(sessionId, userId);
    this.revoked.add(sessionId);
  }

  /** The live sessions of the caller, newest first. */
  async list({ userId, sessionId }: Caller, { limit, cursor }: PageQuery): Promise<Page<SessionDto>> {
    const [before] = decodeCursor<[string]>(cursor, ['uuid']) ?? [];
    return pageOf(
      await this.sessions.page(userId, limit, before),
      limit,
      ({ id }) => [id],
      (row) => present(row, sessionId),
    );
  }

  private async endFamily(familyHash: Buffer): Promise<void> {
    if (!(await this.sessions.isLive(familyHash))) return;
    await delay(HANG_UP_WITHIN_MS);
    // On a busy loop timers come before what has arrived.
    await turn();
    if (RequestContext.current()?.abandoned) {
      this.logger.log('A refresh token arrived after its successor was used, and its client has hung up');
      return;
    }
    const ended = await this.sessions.revokeFamily(familyHash);
    if (!ended) return;
    this.revoked.add(ended.id);
    this.logger.warn(
      { sessionId: ended.id, userId: ended.userId },
      'A refresh token was reused; the session is revoked',
    );
  }

  private answer(caller: Caller, refreshToken: string): TokensDto {
    return {
      accessToken: this.tokens.sign(caller),
      refreshToken,
      tokenType: this.tokens.scheme,
      expiresIn: this.tokens.ttlSeconds,
    };
  }
}

function present(
  { id, userAgent, ipAddress, createdAt, lastUsedAt }: Session,
  currentId: string,
): SessionDto {
  return {
    id,
    createdAt: createdAt.toISOString(),
    lastUsedAt: lastUsedAt.toISOString(),
    ...(userAgent !== null && { userAgent }),
    ...(ipAddress !== null && { ipAddress }),
    current: id === currentId,
  };
}
