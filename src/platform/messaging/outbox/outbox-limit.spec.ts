import { Logger } from '@nestjs/common';
import { describe, expect, it, vi } from 'vitest';
import type { Settings } from '../../../config/index.js';
import { TransientError } from '../../errors/index.js';
import { OutboxLimit } from './outbox-limit.js';
import type { OutboxRepository } from './outbox.repository.js';

function limit(answers: (boolean | Error)[]): OutboxLimit {
  const outbox = {
    exceeds: () => {
      const answer = answers.shift();
      return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer);
    },
  };
  const settings = { overload: { outboxMaxBacklog: 10 } };
  return new OutboxLimit(outbox as unknown as OutboxRepository, settings as Settings);
}

describe('the limit on the backlog', () => {
  it('rejects work while the backlog is over it, and accepts it again afterwards', async () => {
    const outbox = limit([true, false]);
    expect(() => outbox.requireRoom()).not.toThrow();
    await outbox.look();
    expect(() => outbox.requireRoom()).toThrow(
      expect.objectContaining({ code: 'backlog-full', status: 503, retryAfterSeconds: 10 }),
    );
    await outbox.look();
    expect(() => outbox.requireRoom()).not.toThrow();
  });

  it('stays as it is while PostgreSQL is down', async () => {
    const report = vi.spyOn(Logger.prototype, 'error').mockReturnValue();
    const outbox = limit([true, new TransientError({ code: 'database-unavailable', detail: '' })]);
    await outbox.look();
    await outbox.look();
    expect(() => outbox.requireRoom()).toThrow();
    expect(report).not.toHaveBeenCalled();
  });

  it('reports a check that cannot work', async () => {
    const report = vi.spyOn(Logger.prototype, 'error').mockReturnValue();
    await limit([new Error('syntax error')]).look();
    expect(report).toHaveBeenCalledOnce();
  });
});
