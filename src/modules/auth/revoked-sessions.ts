import { Injectable, Logger, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { atStart } from '../../platform/database/index.js';
import { OutageLog } from '../../platform/runtime/index.js';
import { AccessTokens } from './access-tokens.js';
import { SessionsRepository } from './sessions.repository.js';

/** Milliseconds between polls for sessions that other processes have revoked: how long a session can outlive its end there. */
const POLL_MS = 1000;
/**
 * Seconds that each poll reaches back beyond the one before. `revoked_at` is when the statement began; it becomes visible when it
 * commits, which may be later by as much as a statement may take.
 */
const OVERLAP_SECONDS = 15;

/**
 * The revoked sessions that may still have a valid access token, so that a revoked session ends at once and no request costs a
 * query. Loaded at start, then updated by polling an index; sessions that this process revokes are added immediately. See
 * docs/decisions/0004-sessions-and-tokens.md.
 */
@Injectable()
export class RevokedSessions implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly outage = new OutageLog(new Logger(RevokedSessions.name), {
    begins: 'Revoked sessions cannot be read; continuing with the known ones',
    ends: 'Revoked sessions can be read again',
  });
  /**
   * Session id to the time after which no access token of it is left, by `performance.now()`: if the wall clock were a few
   * minutes ahead for a moment, ended sessions would be forgotten, and their tokens valid again once the clock was right.
   */
  private readonly sessions = new Map<string, number>();
  private timer: NodeJS.Timeout | undefined;
  private polling: Promise<void> | undefined;
  private loadedAt: number | undefined;
  private stopped = false;

  constructor(
    private readonly repository: SessionsRepository,
    private readonly tokens: AccessTokens,
    private readonly host: HttpAdapterHost,
  ) {}

  has(sessionId: string): boolean {
    return this.sessions.has(sessionId);
  }

  add(sessionId: string): void {
    this.sessions.set(sessionId, performance.now() + this.tokens.longestLifeSeconds * 1000);
  }

  /** A process without HTTP checks no tokens and does not need the set. */
  async onApplicationBootstrap(): Promise<void> {
    if (!this.host.httpAdapter) return;
    await atStart(() => this.load());
    this.schedule();
  }

  /** Runs on while the last requests are answered, and ends before the database is closed. */
  async onApplicationShutdown(): Promise<void> {
    this.stopped = true;
    clearTimeout(this.timer);
    await this.polling;
  }

  private schedule(): void {
    this.timer = setTimeout(() => {
      this.polling = this.poll();
    }, POLL_MS);
  }

  private async poll(): Promise<void> {
    try {
      await this.load();
      this.forget();
      this.outage.recovered();
    } catch (error) {
      // While PostgreSQL is down no session can be revoked, so the set stays correct; the next poll covers the gap.
      if (!this.stopped) this.outage.failed(error);
    }
    if (!this.stopped) this.schedule();
  }

  private async load(): Promise<void> {
    const startedAt = performance.now();
    const { longestLifeSeconds } = this.tokens;
    const gap = this.loadedAt === undefined ? Infinity : (startedAt - this.loadedAt) / 1000 + OVERLAP_SECONDS;
    const ids = await this.repository.revokedWithin(Math.min(gap, longestLifeSeconds));
    for (const id of ids) if (!this.sessions.has(id)) this.add(id);
    this.loadedAt = startedAt;
  }

  private forget(): void {
    const now = performance.now();
    // In the order of insertion, which is that of expiry.
    for (const [id, until] of this.sessions) {
      if (until > now) break;
      this.sessions.delete(id);
    }
  }
}
