import { Injectable, Logger } from '@nestjs/common';
import { OverloadSignal } from '../../redis/index.js';

const LOOK_EVERY_MS = 500;
/** Age at which an event has waited long enough, and age at which the backlog counts as cleared. */
const LATE_MS = 60_000;
const CAUGHT_UP_MS = 10_000;

/**
 * Whether background work yields: while requests are rejected, because an event can wait and a caller cannot. Not for ever: once
 * events are a minute old they get their share again. A long overload would otherwise fill the outbox, which then rejects the
 * very requests that the yielding made room for.
 */
@Injectable()
export class BackgroundThrottle {
  private readonly logger = new Logger(BackgroundThrottle.name);
  private timer?: NodeJS.Timeout;
  private yielding = false;
  private late = false;

  constructor(private readonly signal: OverloadSignal) {}

  get isOn(): boolean {
    return this.yielding;
  }

  /** Checks the signal until `stop`. @param changed called with each change */
  start(changed: (yielding: boolean) => void): void {
    this.timer = setInterval(() => void this.look(changed), LOOK_EVERY_MS).unref();
  }

  stop(): void {
    clearInterval(this.timer);
  }

  /** Records an event that is handled for the first time. @param ageMs since it was announced */
  handling(ageMs: number): void {
    if (ageMs >= LATE_MS) this.late = true;
    else if (ageMs < CAUGHT_UP_MS) this.late = false;
  }

  private async look(changed: (yielding: boolean) => void): Promise<void> {
    const yielding = !this.late && (await this.signal.isUp());
    if (yielding === this.yielding) return;
    this.yielding = yielding;
    this.logger.log(
      yielding
        ? 'Requests are being rejected; background work slows down'
        : 'Background work continues at full speed',
    );
    changed(yielding);
  }
}
