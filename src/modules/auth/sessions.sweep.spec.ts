import { Logger } from '@nestjs/common';
import { beforeEach, describe, expect, it, vi, type MockInstance } from 'vitest';
import type { SessionsRepository } from './sessions.repository.js';
import { SessionsSweep } from './sessions.sweep.js';

describe('SessionsSweep', () => {
  const deleteEnded = vi.fn<SessionsRepository['deleteEnded']>();
  const sweep = new SessionsSweep({ deleteEnded } as unknown as SessionsRepository);
  let log: MockInstance;

  beforeEach(() => {
    deleteEnded.mockReset();
    log = vi.spyOn(Logger.prototype, 'log').mockReturnValue();
  });

  it('deletes batch after batch until there is nothing left', async () => {
    deleteEnded.mockResolvedValueOnce(1000).mockResolvedValueOnce(1700).mockResolvedValueOnce(20);
    await sweep.sweep();
    expect(deleteEnded).toHaveBeenCalledTimes(3);
    expect(log).toHaveBeenCalledWith({ sessions: 2720 }, expect.any(String));
  });

  it('keeps ended sessions for longer than the lifetime of an access token', async () => {
    deleteEnded.mockResolvedValue(0);
    await sweep.sweep();
    expect(deleteEnded.mock.calls[0]?.[0]).toBeGreaterThan(86_400);
    expect(log).not.toHaveBeenCalled();
  });
});
