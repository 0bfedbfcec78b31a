import {
  Inject,
  Injectable,
  Logger,
  type BeforeApplicationShutdown,
  type OnApplicationBootstrap,
} from '@nestjs/common';
import { Settings } from '../../../config/index.js';
import { TransientError } from '../../errors/index.js';
import { OutboxRepository } from './outbox.repository.js';

/** Milliseconds between checks of the backlog: it grows for minutes before it matters. */
const LOOK_EVERY_MS = 2000;
/** The `Retry-After` of a rejection: backlogs shrink slowly. */
const RETRY_AFTER_SECONDS = 10;

/**
 * Rejects new work while the outbox holds more than `OUTBOX_MAX_BACKLOG` events that are not relayed, so that an outage of the
 * workers or of Redis ends in rejections and not in a queue that takes days (bounded queues: Google SRE Book, "Addressing
 * Cascading Failures"). Work that completes something begun, such as recording an outcome, does not check this.
 */
@Injectable()
export class OutboxLimit implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly logger = new Logger(OutboxLimit.name);
  private readonly most: number;
  private timer?: NodeJS.Timeout;
  private full = false;

  constructor(
    private readonly outbox: OutboxRepository,
    @Inject(Settings) { overload }: Settings,
  ) {
    this.most = overload.outboxMaxBacklog;
  }

  /** @throws TransientError 503 `backlog-full`, while too many events wait. */
  requireRoom(): void {
    if (!this.full) return;
    throw new TransientError({
      /** Too much accepted work waits to be processed. Nothing has happened. Retry later. */
      code: 'backlog-full',
      detail: 'Too much work is waiting to be processed. Retry later.',
      retryAfterSeconds: RETRY_AFTER_SECONDS,
    });
  }

  /** Checks the backlog now. */
  async look(): Promise<void> {
    try {
      const full = await this.outbox.exceeds(this.most);
      if (full !== this.full)
        this.logger.warn({ full, limit: this.most }, 'The backlog of the outbox crossed its limit');
      this.full = full;
    } catch (error) {
      // While PostgreSQL is down nothing can add to the backlog.
      if (!(error instanceof TransientError))
        this.logger.error({ err: error }, 'The backlog of the outbox cannot be checked');
    }
  }

  onApplicationBootstrap(): void {
    this.timer = setInterval(() => void this.look(), LOOK_EVERY_MS);
    this.timer.unref();
  }

  beforeApplicationShutdown(): void {
    clearInterval(this.timer);
  }
}
