import { join } from 'node:path';
import { httpClient } from './http.ts';
import type { Charge, SandboxMood } from './payment-sandbox.ts';
import type { SinkMood } from './smtp-sink.ts';
import { repositoryRoot } from './servers/paths.ts';
import { freePort } from './servers/ports.ts';
import { privateDirectory } from './servers/private-directory.ts';
import { startServer, type ServerControl } from './servers/server-process.ts';

/**
 * The payment sandbox and the SMTP sink as separate processes, which can be frozen, killed and restarted like real services, and
 * which a busy test does not slow down.
 */
export interface SandboxProcess extends ServerControl {
  url: string;
  port: number;
  setMood(mood: SandboxMood | null): Promise<void>;
  setWebhooks(enabled: boolean): Promise<void>;
  /** From now on, after a restart too. */
  sendWebhooksTo(url: string): Promise<void>;
  /** Delivers the last webhooks once more, the newest first. */
  repeatWebhooks(howMany: number): Promise<void>;
  summary(): Promise<{
    charges: Charge[];
    timesCharged: Record<string, number>;
    attempts: Record<string, number>;
    succeededByReference: Record<string, number>;
  }>;
  webhooks(): Promise<{ enabled: boolean; delivered: number; failed: number; pending: number }>;
  reset(): Promise<void>;
}

export interface SandboxProcessOptions {
  port?: number;
  apiKey?: string;
  webhookUrl?: string;
  webhookSecret?: string;
  slowMs?: number;
  /** Keeps the charges over a restart. */
  stateFile?: string;
  onLine?: (line: string) => void;
  onUnexpectedExit?: (reason: string) => void;
}

export async function startSandboxProcess(options: SandboxProcessOptions = {}): Promise<SandboxProcess> {
  const port = options.port ?? (await freePort());
  const url = `http://127.0.0.1:${port}`;
  const http = httpClient(url);
  const flags = [
    '--port',
    String(port),
    ...(options.webhookUrl ? ['--webhook-url', options.webhookUrl] : []),
    ...(options.slowMs === undefined ? [] : ['--slow-ms', String(options.slowMs)]),
    ...(options.stateFile ? ['--state-file', options.stateFile] : []),
  ];
  const server = await startServer({
    name: 'The payment sandbox',
    command: process.execPath,
    args: [join(repositoryRoot, 'local/payment-sandbox.ts'), ...flags],
    env: {
      PATH: process.env.PATH,
      PAYMENT_PROVIDER_API_KEY: options.apiKey,
      PAYMENT_WEBHOOK_SECRET: options.webhookSecret,
    },
    isReady: () => answers(url, '/control'),
    stopWithinMs: 2_000,
    onLine: options.onLine,
    onUnexpectedExit: options.onUnexpectedExit,
  });
  const restart = server.restart.bind(server);
  let sentTo: string | undefined;
  const sendWebhooksTo = async (to: string): Promise<void> => {
    await expectDone(http.put('/control/webhooks', { url: to }));
    sentTo = to;
  };
  return Object.assign(server, {
    url,
    port,
    restart: async () => {
      await restart();
      if (sentTo) await sendWebhooksTo(sentTo);
    },
    setMood: (mood: SandboxMood | null) => expectDone(http.put('/control/mood', { mood })),
    setWebhooks: (enabled: boolean) => expectDone(http.put('/control/webhooks', { enabled })),
    sendWebhooksTo,
    repeatWebhooks: (howMany: number) => expectDone(http.put('/control/webhooks', { repeat: howMany })),
    summary: async () =>
      (await http.get<Awaited<ReturnType<SandboxProcess['summary']>>>('/control/charges')).body,
    webhooks: async () =>
      (await http.get<{ webhooks: Awaited<ReturnType<SandboxProcess['webhooks']>> }>('/control')).body
        .webhooks,
    reset: () => expectDone(http.delete('/control')),
  });
}

export interface SinkProcess extends ServerControl {
  /** For SMTP_URL. */
  url: string;
  port: number;
  controlUrl: string;
  /** Where each mail is kept as a file. */
  directory: string;
  setMood(mood: SinkMood): Promise<void>;
  counts(): Promise<{ accepted: number; kept: number; duplicates: number }>;
  mails(): Promise<{ messageId: string; file: string; to: string[]; subject: string }[]>;
  reset(): Promise<void>;
}

export interface SinkProcessOptions {
  port?: number;
  controlPort?: number;
  /** Default: a private directory that is removed with the sink. */
  directory?: string;
  /** How long the mood `slow` waits before it accepts a message. */
  slowMs?: number;
  onLine?: (line: string) => void;
  onUnexpectedExit?: (reason: string) => void;
}

export async function startSinkProcess(options: SinkProcessOptions = {}): Promise<SinkProcess> {
  const port = options.port ?? (await freePort());
  const controlPort = options.controlPort ?? (await freePort());
  const temporary = options.directory ? undefined : await privateDirectory('mail');
  const directory = options.directory ?? temporary?.path ?? '';
  const controlUrl = `http://127.0.0.1:${controlPort}`;
  const http = httpClient(controlUrl);
  const flags = [
    ...['--port', String(port), '--control-port', String(controlPort), '--dir', directory],
    ...(options.slowMs === undefined ? [] : ['--slow-ms', String(options.slowMs)]),
  ];
  const server = await startServer(
    {
      name: 'The SMTP sink',
      command: process.execPath,
      args: [join(repositoryRoot, 'local/smtp-sink.ts'), ...flags],
      isReady: () => answers(controlUrl, '/'),
      stopWithinMs: 2_000,
      onLine: options.onLine,
      onUnexpectedExit: options.onUnexpectedExit,
    },
    { directory: temporary },
  );
  return Object.assign(server, {
    url: `smtp://127.0.0.1:${port}`,
    port,
    controlUrl,
    directory,
    setMood: (mood: SinkMood) => expectDone(http.put('/mood', { mood })),
    counts: async () => (await http.get<Awaited<ReturnType<SinkProcess['counts']>>>('/')).body,
    mails: async () =>
      (await http.get<{ data: Awaited<ReturnType<SinkProcess['mails']>> }>('/mails')).body.data,
    reset: () => expectDone(http.delete('/')),
  });
}

async function answers(url: string, path: string): Promise<boolean> {
  const answer = await httpClient(url)
    .get(path, { timeoutMs: 1_000 })
    .catch(() => undefined);
  return answer?.status === 200;
}

async function expectDone(pending: Promise<{ status: number; text: string }>): Promise<void> {
  const { status, text } = await pending;
  if (status !== 204) throw new Error(`The stand-in refused (${status}): ${text}`);
}
