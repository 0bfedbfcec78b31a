import { createHmac, randomBytes } from 'node:crypto';
import type { Charge } from './ledger.ts';

export interface WebhookEvent {
  id: string;
  type: 'charge.succeeded' | 'charge.declined';
  createdAt: string;
  data: Charge;
}

export interface WebhookSettings {
  url: string | null;
  secret: string;
  /** The first wait after a failed delivery; doubles up to 5 s. */
  retryMs: number;
}

/**
 * The headers of one delivery after the Standard Webhooks specification
 * (https://www.standardwebhooks.com): the signature covers id, time and the exact bytes of the body.
 */
export function signWebhook(
  secret: string,
  body: string,
  options: { id: string; timestamp?: number },
): Record<string, string> {
  const timestamp = options.timestamp ?? Math.floor(Date.now() / 1000);
  const key = secret.startsWith('whsec_') ? Buffer.from(secret.slice(6), 'base64') : secret;
  const signature = createHmac('sha256', key).update(`${options.id}.${timestamp}.${body}`).digest('base64');
  return {
    'content-type': 'application/json',
    'webhook-id': options.id,
    'webhook-timestamp': String(timestamp),
    'webhook-signature': `v1,${signature}`,
  };
}

/** Delivers events at least once: every event is retried until the receiver has answered 2xx. */
export class WebhookSender {
  settings: WebhookSettings;
  enabled = true;
  delivered = 0;
  failed = 0;
  private readonly announced: WebhookEvent[] = [];
  private readonly waiting = new Set<NodeJS.Timeout>();
  private readonly inFlight = new Set<AbortController>();
  private stopped = false;

  constructor(settings: WebhookSettings) {
    this.settings = settings;
  }

  get pending(): number {
    return this.waiting.size + this.inFlight.size;
  }

  announce(charge: Charge): void {
    if (!this.enabled || !this.settings.url || charge.status === 'processing') return;
    const event: WebhookEvent = {
      id: `evt_${randomBytes(12).toString('hex')}`,
      type: `charge.${charge.status}`,
      createdAt: new Date().toISOString(),
      data: charge,
    };
    this.announced.push(event);
    this.later(event, 0, this.settings.retryMs);
  }

  /** Delivers the last events once more, the newest first. */
  repeat(howMany: number): void {
    for (const event of this.announced.slice(-howMany).reverse()) this.later(event, 0, this.settings.retryMs);
  }

  /** Drops undelivered events. */
  clear(): void {
    for (const timer of this.waiting) clearTimeout(timer);
    for (const controller of this.inFlight) controller.abort();
    this.waiting.clear();
    this.announced.length = 0;
    this.delivered = 0;
    this.failed = 0;
  }

  stop(): void {
    this.stopped = true;
    this.clear();
  }

  private later(event: WebhookEvent, waitMs: number, nextWaitMs: number): void {
    if (this.stopped) return;
    const timer = setTimeout(() => {
      this.waiting.delete(timer);
      void this.deliver(event, nextWaitMs);
    }, waitMs);
    this.waiting.add(timer);
  }

  private async deliver(event: WebhookEvent, nextWaitMs: number): Promise<void> {
    const { url, secret, retryMs } = this.settings;
    const controller = new AbortController();
    this.inFlight.add(controller);
    try {
      if (!this.enabled || !url) throw new Error('held back');
      const body = JSON.stringify(event);
      const response = await fetch(url, {
        method: 'POST',
        headers: signWebhook(secret, body, { id: event.id }),
        body,
        signal: AbortSignal.any([controller.signal, AbortSignal.timeout(5_000)]),
      });
      await response.arrayBuffer();
      if (!response.ok) throw new Error(`answered ${response.status}`);
      this.delivered += 1;
    } catch {
      if (controller.signal.aborted) return;
      this.failed += 1;
      this.later(event, nextWaitMs, Math.min(Math.max(nextWaitMs, retryMs) * 2, 5_000));
    } finally {
      this.inFlight.delete(controller);
    }
  }
}
