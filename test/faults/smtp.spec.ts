import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { waitFor } from '../../local/wait-for.ts';
import { openCounter, type Counter } from './counter.ts';

describe('the mail server', () => {
  let counter: Counter;

  beforeAll(async () => {
    counter = await openCounter({ worker: false, env: { JOB_BACKOFF_MS: '100', JOB_BACKOFF_MAX_MS: '500' } });
  });
  afterAll(() => counter?.close());
  afterEach(() => counter.stack.sink.setMood('ok'));

  it('rejects mail for a while: requests are not affected, and the mail arrives later, once', async () => {
    const worker = await counter.stack.worker({ JOB_ATTEMPTS: '100' });
    await counter.stack.sink.setMood('refuse');
    const transfer = await counter.transfer();
    expect(transfer.status).toBe(201);
    expect((await counter.ready()).status).toBe(200);
    await worker.waitForLog(({ level }) => level === 'warn', 60_000);
    await counter.stack.sink.setMood('ok');
    await waitFor(async () => (await counter.stack.sink.counts()).kept === 1, {
      within: 90_000,
      what: 'the mail',
    });
    await worker.stop();
    expect((await counter.stack.sink.counts()).kept).toBe(1);
  });

  it('rejects mail for too long: the event becomes a dead letter, and a replay sends the mail', async () => {
    const before = (await counter.stack.sink.counts()).kept;
    const worker = await counter.stack.worker({ JOB_ATTEMPTS: '2' });
    await counter.stack.sink.setMood('refuse');
    expect((await counter.transfer()).status).toBe(201);
    await waitFor(
      async () => (await counter.stack.cli(['dead-letter', 'list'])).stdout.includes('transfer.made'),
      {
        within: 90_000,
        every: 500,
        what: 'a dead letter',
      },
    );
    await counter.stack.sink.setMood('ok');
    const replay = await counter.stack.cli(['dead-letter', 'replay', '--all']);
    expect(replay).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('1 dead letter(s) put back') as string,
    });
    await waitFor(async () => (await counter.stack.sink.counts()).kept === before + 1, {
      within: 90_000,
      what: 'the mail',
    });
    expect((await counter.stack.cli(['dead-letter', 'list'])).stdout).toContain('There are no dead letters.');
    await worker.stop();
  });
});
