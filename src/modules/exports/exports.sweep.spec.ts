import { Logger } from '@nestjs/common';
import { expect, it, vi } from 'vitest';
import { loadSettings } from '../../config/index.js';
import type { ExportSweepRepository } from './export-sweep.repository.js';
import { ExportsSweep } from './exports.sweep.js';

it('The sweep removes chunks step by step before the exports, and gives up what is a day old', async () => {
  const log = vi.spyOn(Logger.prototype, 'log').mockReturnValue();
  const left = [100, 100, 50, 0];
  const repository = {
    giveUp: vi.fn<(before: Date) => Promise<void>>(async () => undefined),
    removeChunks: vi.fn<(before: Date) => Promise<number>>(async () => left.shift() ?? 0),
    remove: vi.fn<(before: Date) => Promise<number>>(async () => 2),
  };
  await new ExportsSweep(
    repository as unknown as ExportSweepRepository,
    loadSettings({ EXPORT_RETENTION_DAYS: '3' }),
  ).sweep();
  const daysAgo = ([date]: [Date]) => (Date.now() - date.getTime()) / 86_400_000;

  expect(repository.removeChunks).toHaveBeenCalledTimes(4);
  expect(daysAgo(repository.removeChunks.mock.calls[0]!)).toBeCloseTo(3, 2);
  expect(daysAgo(repository.remove.mock.calls[0]!)).toBeCloseTo(3, 2);
  expect(daysAgo(repository.giveUp.mock.calls[0]!)).toBeCloseTo(1, 2);
  expect(log).toHaveBeenCalledExactlyOnceWith({ removed: 2 }, expect.any(String));
});
