import { readdirSync } from 'node:fs';
import { createTransport } from 'nodemailer';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { httpClient } from './http.ts';
import { startSmtpSink } from './smtp-sink.ts';
import type { SmtpSink } from './smtp-sink.ts';

/** How long the sender waits for an answer. */
const PATIENCE_MS = 20_000;

let sink: SmtpSink;

beforeEach(async () => {
  sink = await startSmtpSink({ slowMs: 50 });
});
afterEach(() => sink.stop());

describe('a mail', () => {
  it('is stored under its Message-ID', async () => {
    await send('one@mail.example', { to: 'Ada <ada@example.com>', subject: 'Welcome' });
    expect(readdirSync(sink.directory)).toEqual(['one@mail.example.eml']);
    expect(sink.mails()).toMatchObject([
      { messageId: 'one@mail.example', to: ['ada@example.com'], subject: 'Welcome' },
    ]);
  });

  it('is stored once, also when sent again', async () => {
    await send('one@mail.example');
    await send('one@mail.example');
    expect(sink.counts()).toEqual({ accepted: 2, kept: 1, duplicates: 1 });
  });

  it('stays in its folder with any Message-ID', async () => {
    await send('../../etc/passwd');
    await send('.. .. etc passwd');
    expect(readdirSync(sink.directory).toSorted()).toEqual([
      expect.stringMatching(/^_.._etc_passwd-[0-9a-f]{12}\.eml$/),
      expect.stringMatching(/^_.._etc_passwd-[0-9a-f]{12}\.eml$/),
    ]);
  });
});

describe('a mood', () => {
  it.each(['refuse', 'hang', 'accept_then_drop', 'deny_relay'] as const)(
    '%s fails the sender',
    async (mood) => {
      await httpClient(sink.controlUrl).put('/mood', { mood });
      const patienceMs = mood === 'hang' ? 200 : PATIENCE_MS;
      await expect(send('one@mail.example', {}, patienceMs)).rejects.toThrow();
      expect(sink.counts().kept).toBe(mood === 'accept_then_drop' ? 1 : 0);
      sink.setMood('ok');
      await send('one@mail.example');
      expect(sink.counts().kept).toBe(1);
    },
  );

  it('slow delays the answer', async () => {
    sink.setMood('slow');
    await send('one@mail.example');
    expect(sink.counts().kept).toBe(1);
  });

  it('must be a known one', async () => {
    expect((await httpClient(sink.controlUrl).put('/mood', { mood: 'sad' })).status).toBe(422);
  });
});

async function send(
  messageId: string,
  mail: { to?: string; subject?: string } = {},
  patienceMs = PATIENCE_MS,
): Promise<void> {
  const transport = createTransport({
    url: sink.url,
    greetingTimeout: patienceMs,
    socketTimeout: patienceMs,
  });
  const { to = 'ada@example.com', subject = 'Hello' } = mail;
  await transport.sendMail({
    from: 'mail@example.com',
    to,
    subject,
    text: 'Hi',
    messageId: `<${messageId}>`,
  });
}
