import { Logger } from '@nestjs/common';
import type { HttpAdapterHost } from '@nestjs/core';
import { afterEach, beforeEach, describe, expect, it, vi, type MockInstance } from 'vitest';
import type { AccessTokens } from './access-tokens.js';
import { RevokedSessions } from './revoked-sessions.js';
import type { SessionsRepository } from './sessions.repository.js';

const api = { httpAdapter: {} } as HttpAdapterHost;
const worker = {} as HttpAdapterHost;

describe('RevokedSessions', () => {
  const revokedWithin = vi.fn<SessionsRepository['revokedWithin']>();
  const repository = { revokedWithin } as unknown as SessionsRepository;
  const tokens = { longestLifeSeconds: 900 } as AccessTokens;
  let sessions: RevokedSessions;
  let warn: MockInstance;
  let log: MockInstance;

  beforeEach(() => {
    vi.useFakeTimers();
    revokedWithin.mockReset().mockResolvedValue([]);
    warn = vi.spyOn(Logger.prototype, 'warn').mockReturnValue();
    log = vi.spyOn(Logger.prototype, 'log').mockReturnValue();
    sessions = new RevokedSessions(repository, tokens, api);
  });

  afterEach(async () => {
    await sessions.onApplicationShutdown();
    vi.restoreAllMocks();
    vi.useRealTimers();
  });

  it('knows from the start what was revoked while its tokens may be valid', async () => {
    revokedWithin.mockResolvedValueOnce(['a']);
    await sessions.onApplicationBootstrap();
    expect(revokedWithin).toHaveBeenCalledWith(900);
    expect([sessions.has('a'), sessions.has('b')]).toEqual([true, false]);
  });

  it('does not start without reading the database', async () => {
    revokedWithin.mockRejectedValueOnce(new Error('no table'));
    await expect(sessions.onApplicationBootstrap()).rejects.toThrow('no table');
  });

  it('learns within a second what another process has revoked', async () => {
    await sessions.onApplicationBootstrap();
    revokedWithin.mockResolvedValueOnce(['b']);
    await vi.advanceTimersByTimeAsync(1000);
    expect(sessions.has('b')).toBe(true);
    const seconds = revokedWithin.mock.calls[1]?.[0] ?? 0;
    expect(seconds).toBeGreaterThanOrEqual(16);
    expect(seconds).toBeLessThan(17);
  });

  it('knows at once what this process has revoked', () => {
    sessions.add('c');
    expect(sessions.has('c')).toBe(true);
  });

  it('keeps what it knows while the database is down, and then covers the whole gap', async () => {
    revokedWithin.mockResolvedValueOnce(['a']);
    await sessions.onApplicationBootstrap();
    revokedWithin.mockRejectedValue(new Error('away'));
    await vi.advanceTimersByTimeAsync(60_000);
    expect(sessions.has('a')).toBe(true);
    expect(warn).toHaveBeenCalledTimes(1);
    revokedWithin.mockResolvedValue(['b']);
    await vi.advanceTimersByTimeAsync(1000);
    expect(revokedWithin.mock.lastCall?.[0]).toBeGreaterThan(75);
    expect(sessions.has('b')).toBe(true);
    expect(log).toHaveBeenCalledTimes(1);
  });

  it('forgets a session once none of its tokens is valid', async () => {
    await sessions.onApplicationBootstrap();
    sessions.add('a');
    await vi.advanceTimersByTimeAsync(890_000);
    expect(sessions.has('a')).toBe(true);
    await vi.advanceTimersByTimeAsync(20_000);
    expect(sessions.has('a')).toBe(false);
  });

  it('forgets none because the clock was ahead for a moment', async () => {
    await sessions.onApplicationBootstrap();
    sessions.add('a');
    const rightTime = Date.now();
    vi.setSystemTime(rightTime + 8 * 86_400_000);
    await vi.advanceTimersByTimeAsync(2000);
    vi.setSystemTime(rightTime + 2000);
    expect(sessions.has('a')).toBe(true);
  });

  it('stops polling when the application stops', async () => {
    await sessions.onApplicationBootstrap();
    await sessions.onApplicationShutdown();
    await vi.advanceTimersByTimeAsync(10_000);
    expect(revokedWithin).toHaveBeenCalledTimes(1);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('does not poll in a process that serves no requests', async () => {
    sessions = new RevokedSessions(repository, tokens, worker);
    await sessions.onApplicationBootstrap();
    await vi.advanceTimersByTimeAsync(10_000);
    expect(revokedWithin).not.toHaveBeenCalled();
  });
});
