import { basename } from 'node:path';
import { describe, expect, it } from 'vitest';
import { discoverFaults, loadProduct } from '../nemesis/catalogue.ts';
import { readSchedules, regressionFiles } from '../nemesis/replay.ts';
import { describeBroken } from '../nemesis/report/terminal.ts';
import { reported } from '../nemesis/report/report.ts';
import { runSchedule } from '../nemesis/run-schedule.ts';

/** Of load, for all of them: a rig takes about twice that on top. Shrink a schedule before it is kept. */
const BUDGET_MS = 60_000;

const kept = regressionFiles().flatMap((file) =>
  readSchedules(file).map((schedule) => ({ name: basename(file, '.json'), schedule })),
);

describe('schedules that once broke something', () => {
  it('are short enough to be run every time', () => {
    const load = kept.reduce((sum, { schedule }) => sum + schedule.lasts, 0);
    expect(load).toBeLessThanOrEqual(BUDGET_MS);
  });

  it.each(kept)('no longer do: $name, seed $schedule.seed', async ({ schedule }) => {
    const product = await loadProduct(schedule.product);
    const dist = await product.build();
    const result = await runSchedule(schedule, product, await discoverFaults(), { dist, env: {} });
    expect(result.held, describeBroken(reported(result), '').join('\n')).toBe(true);
  });
});
