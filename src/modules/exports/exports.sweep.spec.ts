import { Logger } from '@nestjs/common';
import { expect, it, vi } from 'vitest';
import { loadSettings } from '../../config/index.js';
import { PRODUCT } from '../../product.js';
import type { ExportSweepRepository } from './export-sweep.repository.js';
import { ExportsSweep } from './exports.sweep.js';

it('The sweep deletes chunks in steps before the exports, and fails exports without progress for a day', async () => {
  const log = vi.spyOn(Logger.prototype, 'log').mockReturnValue();
  const left = [100, 100, 50, 0];
  const repository = {
    giveUp: vi.fn<(days: number) => Promise<void>>(async () => undefined),
    removeChunks: vi.fn<(days: number) => Promise<number>>(async () => left.shift() ?? 0),
    remove: vi.fn<(days: number) => Promise<number>>(async () => 2),
  };
  await new ExportsSweep(
    repository as unknown as ExportSweepRepository,
    loadSettings({ EXPORT_RETENTION_DAYS: '3' }, PRODUCT),
  ).sweep();

  expect(repository.removeChunks).toHaveBeenCalledTimes(4);
  expect(repository.removeChunks).toHaveBeenLastCalledWith(3);
  expect(repository.remove).toHaveBeenCalledExactlyOnceWith(3);
  expect(repository.giveUp).toHaveBeenCalledExactlyOnceWith(1);
  expect(log).toHaveBeenCalledExactlyOnceWith({ removed: 2 }, expect.any(String));
});
