/**
 * The payment provider of the local stack and of the tests: a separate HTTP service that charges by idempotency key and reports
 * outcomes by signed webhooks. The payment method chooses its mood, so it can be tried with curl.
 *
 *   node local/payment-sandbox.ts --port 4010 --webhook-url http://127.0.0.1:3000/v1/webhooks/payments
 */
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { startJsonServer } from './json-server.ts';
import type { JsonAnswer, JsonRequest } from './json-server.ts';
import { Ledger } from './sandbox/ledger.ts';
import type { Charge, ChargeRequest } from './sandbox/ledger.ts';
import { WebhookSender } from './sandbox/webhooks.ts';

export { signWebhook } from './sandbox/webhooks.ts';
export type { Charge } from './sandbox/ledger.ts';

export const sandboxMoods = [
  'ok',
  'declined',
  'slow',
  'error',
  'hang',
  'charged_then_dropped',
  // Accepted, and never decided.
  'processing',
  // Charged, but the connection is dropped, and a query about it gets a 500, or no answer.
  'lookup_error',
  'lookup_hang',
] as const;
export type SandboxMood = (typeof sandboxMoods)[number];

export interface PaymentSandboxOptions {
  /** Default: any free port. */
  port?: number;
  host?: string;
  /** The only bearer key that is accepted. Default: any. */
  apiKey?: string;
  webhookUrl?: string | null;
  webhookSecret?: string;
  /** First wait before a failed webhook is retried. */
  webhookRetryMs?: number;
  /** How long a slow charge takes. */
  slowMs?: number;
  /** File that keeps the charges over a restart. */
  stateFile?: string;
}

export interface PaymentSandbox {
  url: string;
  port: number;
  /** Charges so far, oldest first. */
  charges(): Charge[];
  ledger: Ledger;
  webhooks: WebhookSender;
  /** Overrides the moods of all payment methods; `null` ends that. */
  setMood(mood: SandboxMood | null): void;
  sendWebhooksTo(url: string | null): void;
  reset(): void;
  stop(): Promise<void>;
}

export async function startPaymentSandbox(options: PaymentSandboxOptions = {}): Promise<PaymentSandbox> {
  const ledger = new Ledger(options.stateFile);
  const webhooks = new WebhookSender({
    url: options.webhookUrl ?? null,
    secret: options.webhookSecret ?? 'development-placeholder-webhook-secret',
    retryMs: options.webhookRetryMs ?? 200,
  });
  const slowMs = options.slowMs ?? 1_500;
  let mood: SandboxMood | null = null;

  const createCharge = async (request: JsonRequest): Promise<JsonAnswer | undefined> => {
    const key = request.headers['idempotency-key'];
    if (typeof key !== 'string' || key === '') return failure(400, 'Idempotency-Key is missing');
    const charge = chargeRequest(request.body);
    if (!charge) return failure(422, 'amount, currency, paymentMethod or reference is missing or wrong');
    const asked = moodOf(charge.paymentMethod);
    if (!asked) return failure(422, `paymentMethod ${charge.paymentMethod} is unknown`);
    ledger.countAttempt(key);
    const behaviour = mood ?? asked;
    if (behaviour === 'error') return failure(500, 'The provider failed; nothing was charged');
    if (behaviour === 'hang') return undefined;

    const recorded = ledger.record(key, charge, statusIn(behaviour));
    if (recorded.outcome === 'conflict')
      return failure(409, 'This Idempotency-Key was used for another charge');
    if (behaviour === 'slow') await delay(slowMs);
    if (recorded.outcome === 'new') webhooks.announce(recorded.charge);
    if (['charged_then_dropped', 'lookup_error', 'lookup_hang'].includes(behaviour)) {
      request.drop();
      return undefined;
    }
    return { status: recorded.outcome === 'new' ? 201 : 200, body: recorded.charge };
  };

  const findCharges = (request: JsonRequest): JsonAnswer | undefined => {
    if (mood === 'hang') return undefined;
    if (mood === 'error') return failure(500, 'The provider failed');
    const charge = ledger.find(request.query.get('idempotencyKey') ?? '');
    if (charge?.paymentMethod === 'pm_card_lookup_hang') return undefined;
    if (charge?.paymentMethod === 'pm_card_lookup_error') return failure(500, 'The provider failed');
    return { status: 200, body: { data: charge ? [charge] : [] } };
  };

  const reset = (): void => {
    mood = null;
    ledger.clear();
    webhooks.clear();
    webhooks.enabled = true;
  };

  const control = (request: JsonRequest): JsonAnswer => {
    const body = (request.body ?? {}) as {
      mood?: SandboxMood | null;
      enabled?: boolean;
      url?: string;
      repeat?: number;
    };
    switch (`${request.method} ${request.path}`) {
      case 'GET /control':
        return {
          status: 200,
          body: {
            mood,
            charges: ledger.charges.length,
            webhooks: {
              enabled: webhooks.enabled,
              url: webhooks.settings.url,
              delivered: webhooks.delivered,
              failed: webhooks.failed,
              pending: webhooks.pending,
            },
          },
        };
      case 'GET /control/charges':
        return { status: 200, body: ledger.summary() };
      case 'PUT /control/mood':
        if (body.mood !== null && !sandboxMoods.includes(body.mood as SandboxMood)) {
          return failure(422, `mood must be null or one of ${sandboxMoods.join(', ')}`);
        }
        mood = body.mood as SandboxMood | null;
        return { status: 204 };
      case 'PUT /control/webhooks':
        if (typeof body.enabled === 'boolean') webhooks.enabled = body.enabled;
        if (typeof body.url === 'string') webhooks.settings.url = body.url;
        if (typeof body.repeat === 'number') webhooks.repeat(body.repeat);
        return { status: 204 };
      case 'DELETE /control':
        reset();
        return { status: 204 };
      default:
        return failure(404, 'Unknown control');
    }
  };

  const server = await startJsonServer(
    { port: options.port ?? 0, host: options.host ?? '127.0.0.1' },
    (request) => {
      if (request.path.startsWith('/control')) return control(request);
      if (request.path !== '/v1/charges') return failure(404, 'No such route');
      const [scheme, key] = (request.headers.authorization ?? '').split(' ');
      if (scheme !== 'Bearer' || !key || (options.apiKey && key !== options.apiKey)) {
        return failure(401, 'The API key is missing or wrong');
      }
      if (request.method === 'POST') return createCharge(request);
      if (request.method === 'GET') return findCharges(request);
      return failure(405, 'Only GET and POST');
    },
  );
  return {
    url: server.url,
    port: server.port,
    ledger,
    webhooks,
    charges: () => ledger.charges,
    setMood: (next) => {
      mood = next;
    },
    sendWebhooksTo: (url) => {
      webhooks.settings.url = url;
    },
    reset,
    stop: async () => {
      webhooks.stop();
      await server.stop();
    },
  };
}

function failure(status: number, message: string): JsonAnswer {
  return { status, body: { error: message } };
}

function moodOf(paymentMethod: string): SandboxMood | undefined {
  const name = paymentMethod.replace(/^pm_card_/, '');
  return paymentMethod.startsWith('pm_card_') ? sandboxMoods.find((mood) => mood === name) : undefined;
}

function statusIn(mood: SandboxMood): Charge['status'] {
  return mood === 'declined' || mood === 'processing' ? mood : 'succeeded';
}

function chargeRequest(body: unknown): ChargeRequest | undefined {
  if (typeof body !== 'object' || body === null) return undefined;
  const { amount, currency, paymentMethod, reference } = body as Record<string, unknown>;
  const valid =
    Number.isSafeInteger(amount) &&
    Number(amount) > 0 &&
    typeof currency === 'string' &&
    /^[A-Z]{3}$/.test(currency) &&
    typeof paymentMethod === 'string' &&
    typeof reference === 'string';
  return valid ? { amount: Number(amount), currency, paymentMethod, reference } : undefined;
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: {
      port: { type: 'string', default: '4010' },
      host: { type: 'string', default: '127.0.0.1' },
      'webhook-url': { type: 'string' },
      'slow-ms': { type: 'string', default: '1500' },
      'state-file': { type: 'string' },
    },
  });
  const sandbox = await startPaymentSandbox({
    port: Number(values.port),
    host: values.host,
    apiKey: process.env.PAYMENT_PROVIDER_API_KEY,
    webhookUrl: values['webhook-url'] ?? process.env.SANDBOX_WEBHOOK_URL,
    webhookSecret: process.env.PAYMENT_WEBHOOK_SECRET,
    slowMs: Number(values['slow-ms']),
    stateFile: values['state-file'],
  });
  console.log(`Payment sandbox listening on ${sandbox.url}`);
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void sandbox.stop());
}
