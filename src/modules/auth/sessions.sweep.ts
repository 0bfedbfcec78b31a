import { Injectable, Logger } from '@nestjs/common';
import { Scheduled } from '../../platform/messaging/index.js';
import { SessionsRepository } from './sessions.repository.js';

const HOUR_MS = 3_600_000;
const BATCH = 1000;
/**
 * How long a session that has ended is kept, in seconds: longer than any access token lives (86 400 at most), because until then
 * processes that start must learn that it was revoked.
 */
const KEEP_ENDED_SECONDS = 2 * 86_400;

/** Deletes sessions that ended long ago, by expiry or by revocation. */
@Injectable()
export class SessionsSweep {
  private readonly logger = new Logger(SessionsSweep.name);

  constructor(private readonly sessions: SessionsRepository) {}

  /** In batches, each its own transaction: nothing waits for it, and none exceeds the statement timeout. */
  @Scheduled({ name: 'sweep-sessions', every: HOUR_MS })
  async sweep(): Promise<void> {
    let swept = 0;
    for (;;) {
      const deleted = await this.sessions.deleteEnded(KEEP_ENDED_SECONDS, BATCH);
      swept += deleted;
      if (deleted < BATCH) break;
    }
    if (swept > 0) this.logger.log({ sessions: swept }, 'Ended sessions were deleted');
  }
}
