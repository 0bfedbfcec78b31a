import { Logger } from '@nestjs/common';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import type { UnitOfWork } from '../../platform/database/index.js';
import { TransientError } from '../../platform/errors/index.js';
import type { DeliveredEvent } from '../../platform/messaging/index.js';
import { SupersededError, type ExportRun, type ExportRunsRepository } from './export-runs.repository.js';
import type { ExportWriter } from './export-writer.js';
import type { ExportRequested } from './exports.events.js';
import { ExportsProcessor } from './exports.processor.js';

const run: ExportRun = { exportId: 'x', attempt: 1, userId: 'ada', allUsers: false, from: null, to: null };
const away = () => new TransientError({ code: 'database-unavailable', detail: '' });

let runs: Record<'begin' | 'complete' | 'fail', ReturnType<typeof vi.fn>>;
let write: ReturnType<typeof vi.fn>;
let record: ReturnType<typeof vi.fn>;
let processor: ExportsProcessor;

beforeEach(() => {
  vi.spyOn(Logger.prototype, 'warn').mockReturnValue();
  runs = {
    begin: vi.fn(async () => run),
    complete: vi.fn(async () => undefined),
    fail: vi.fn(async () => undefined),
  };
  write = vi.fn(async () => 7);
  record = vi.fn(async () => true);
  processor = new ExportsProcessor(
    runs as unknown as ExportRunsRepository,
    { write } as unknown as ExportWriter,
    { run: (work: () => Promise<unknown>) => work() } as unknown as UnitOfWork,
  );
  Object.assign(processor, { inbox: { record } });
});

function deliver(attempt = 1, signal = new AbortController().signal): Promise<void> {
  const event = { id: 'event', payload: { exportId: 'x' }, attempt, attempts: 3, signal };
  return processor.onExportRequested(event as unknown as DeliveredEvent<ExportRequested>);
}

describe('A requested export', () => {
  it('is completed together with the record of its event', async () => {
    await deliver();

    expect(runs.complete).toHaveBeenCalledExactlyOnceWith(run, 7);
    expect(record).toHaveBeenCalledOnce();
    expect(runs.fail).not.toHaveBeenCalled();
  });

  it('only records its event when it is completed or deleted', async () => {
    runs.begin?.mockResolvedValue(undefined);
    await deliver();

    expect(write).not.toHaveBeenCalled();
    expect(record).toHaveBeenCalledOnce();
  });

  it('is left to the run that has taken over', async () => {
    write.mockRejectedValue(new SupersededError(run));
    await deliver();

    expect(record).not.toHaveBeenCalled();
    expect(runs.fail).not.toHaveBeenCalled();
  });

  it('is retried after a transient error', async () => {
    write.mockRejectedValue(away());

    await expect(deliver(2)).rejects.toThrow(TransientError);
    expect(runs.fail).not.toHaveBeenCalled();
  });

  it('fails with its last attempt', async () => {
    write.mockRejectedValue(away());

    await expect(deliver(3)).rejects.toThrow(TransientError);
    expect(runs.fail).toHaveBeenCalledExactlyOnceWith(run);
  });

  it('fails at once after a permanent error', async () => {
    write.mockRejectedValue(new TypeError('a bug'));

    await expect(deliver(1)).rejects.toThrow(TypeError);
    expect(runs.fail).toHaveBeenCalledExactlyOnceWith(run);
  });

  it('does not fail when its process shuts down', async () => {
    write.mockRejectedValue(new TypeError('cut off'));

    await expect(deliver(3, AbortSignal.abort())).rejects.toThrow(TypeError);
    expect(runs.fail).not.toHaveBeenCalled();
  });
});
