import { describe, expect, it } from 'vitest';
import { Random } from './random.ts';
import type { Schedule, Step } from './schedule.ts';
import { certainty, describeCause, describeSteps, shrink } from './shrink.ts';
import type { ShrinkOptions } from './shrink.ts';

function step(fault: string, at: number, lasts = 4_000): Step {
  return { at, lasts, fault, target: 'api-1', with: {} };
}

const many: Schedule = {
  seed: 1,
  product: 'ledger',
  lasts: 60_000,
  steps: Array.from({ length: 16 }, (_, i) => step(`fault-${i}`, i * 3_000)),
};

/** Breaks whenever all of these faults are in it. */
function needs(...faults: string[]): ShrinkOptions['breaks'] {
  return ({ steps }) => Promise.resolve(faults.every((name) => steps.some(({ fault }) => fault === name)));
}

const plenty = { runs: 1_000, minutes: 1_000 };
const names = ({ steps }: Schedule): string[] => steps.map(({ fault }) => fault);

describe('shrinking', () => {
  it.each([[['fault-3']], [['fault-3', 'fault-12']], [['fault-0', 'fault-7', 'fault-8', 'fault-15']]])(
    'leaves the faults that are needed: %j',
    async (needed) => {
      const { schedule, outOfBudget, broke, of } = await shrink(many, {
        breaks: needs(...needed),
        budget: plenty,
      });
      expect(names(schedule)).toEqual(needed);
      expect({ outOfBudget, broke, of }).toEqual({ outOfBudget: false, broke: 3, of: 3 });
    },
  );

  it('believes in the second half when the first one does not show it', async () => {
    const tried: string[][] = [];
    await shrink(
      { ...many, steps: many.steps.slice(0, 4) },
      {
        breaks: (candidate) => {
          tried.push(names(candidate));
          return needs('fault-3')(candidate);
        },
        budget: plenty,
      },
    );
    expect(tried.slice(0, 4)).toEqual([[], ['fault-0', 'fault-1'], ['fault-2'], ['fault-3']]);
  });

  it('names one of ten faults in at most six runs', async () => {
    const ten = { ...many, steps: many.steps.slice(0, 10) };
    for (const { fault } of ten.steps) {
      const { schedule } = await shrink(ten, { breaks: needs(fault), budget: { runs: 6, minutes: 1_000 } });
      expect(names(schedule)).toEqual([fault]);
    }
  });

  it('believes no half that was not tried: two faults in different halves are both kept', async () => {
    const { schedule } = await shrink(many, { breaks: needs('fault-7', 'fault-8'), budget: plenty });
    expect(names(schedule)).toEqual(['fault-7', 'fault-8']);
  });

  it('finds that no fault is needed', async () => {
    const found = await shrink(many, { breaks: needs(), budget: plenty });
    expect(found.schedule).toMatchObject({ steps: [], patient: true });
    expect(describeCause(found)).toBe(
      'no fault, in 20.0 s: ordinary use is enough, by clients that wait for every answer',
    );
  });

  it('says that clients are the cause when it breaks only while they hang up', async () => {
    const breaks: ShrinkOptions['breaks'] = ({ patient }) => Promise.resolve(!patient);
    const found = await shrink(many, { breaks, budget: plenty });
    expect(found).toMatchObject({ needsImpatience: true, broke: 3, of: 3 });
    expect(describeCause(found)).toContain('clients that hang up or give up are the cause');
    const unknown = await shrink(many, {
      breaks: ({ patient }) => (patient ? Promise.reject(new Error('no server')) : Promise.resolve(true)),
      budget: plenty,
    });
    expect(unknown).toMatchObject({ needsImpatience: false, broke: 3, of: 3 });
    const unsure = await shrink(many, { breaks, budget: { runs: 1, minutes: 1 } });
    expect(describeCause(unsure)).toBe(
      'no fault, in 20.0 s: clients are enough, some of which hang up or give up',
    );
  });

  it('makes faults shorter, as long as that breaks it', async () => {
    const breaks: ShrinkOptions['breaks'] = ({ steps }) =>
      Promise.resolve(steps.some(({ fault, lasts }) => fault === 'fault-3' && lasts >= 900));
    const { schedule } = await shrink(many, { breaks, budget: plenty });
    expect(schedule.steps).toEqual([step('fault-3', 1_000, 1_000)]);
  });

  it('leaves out the calm before, between and after the faults, if that breaks it', async () => {
    const { schedule } = await shrink(many, { breaks: needs('fault-3'), budget: plenty });
    expect(schedule).toMatchObject({ steps: [{ at: 1_000, lasts: 500 }], lasts: 1_000 + 500 + 5_000 });
    const two = await shrink(many, { breaks: needs('fault-3', 'fault-12'), budget: plenty });
    expect(two.schedule).toMatchObject({ steps: [{ at: 1_000, lasts: 500 }, { at: 2_500 }], lasts: 8_000 });
    const late = await shrink(many, {
      breaks: async (candidate) => (await needs('fault-3')(candidate)) && candidate.lasts === 60_000,
      budget: plenty,
    });
    expect(late.schedule).toMatchObject({ steps: [{ at: 9_000, lasts: 500 }], lasts: 60_000 });
  });

  it('keeps seed and product, and never runs a schedule more often than told', async () => {
    const seen = new Map<string, number>();
    const { schedule } = await shrink(many, {
      breaks: (candidate) => {
        const key = JSON.stringify(candidate);
        seen.set(key, (seen.get(key) ?? 0) + 1);
        return needs('fault-1', 'fault-9')(candidate);
      },
      attempts: 3,
      confirmations: 0,
      budget: plenty,
    });
    expect(schedule).toMatchObject({ seed: 1, product: 'ledger' });
    expect(Math.max(...seen.values())).toBeLessThanOrEqual(3);
  });

  it('repeats what does not break at once: the defect shows in half of the runs', async () => {
    const random = new Random(7);
    const { schedule } = await shrink(many, {
      breaks: async (candidate) => (await needs('fault-5')(candidate)) && random.chance(0.5),
      attempts: 8,
      budget: plenty,
    });
    expect(names(schedule)).toEqual(['fault-5']);
  });

  it('ends with the best so far when runs or time are spent, and says so', async () => {
    const fewRuns = await shrink(many, { breaks: needs('fault-3'), budget: { runs: 3, minutes: 100 } });
    expect(fewRuns).toMatchObject({ runs: 3, outOfBudget: true });
    const found = await shrink(
      { ...many, steps: many.steps.slice(0, 1) },
      { breaks: needs('fault-0'), budget: { runs: 2, minutes: 100 } },
    );
    expect(found, 'no run that did not take place').toMatchObject({ runs: 2, broke: 1, of: 1 });
    expect(names(fewRuns.schedule)).toContain('fault-3');
    let now = 0;
    const fewMinutes = await shrink(many, {
      breaks: (candidate) => {
        now += 60_000;
        return needs('fault-3', 'fault-12')(candidate);
      },
      budget: { runs: 100, minutes: 5 },
      now: () => now,
    });
    expect(fewMinutes).toMatchObject({ runs: 5, minutes: 5, outOfBudget: true });
    expect(certainty(fewMinutes)).toContain('the budget ended the search');
  });

  it('keeps the original if nothing shorter breaks it', async () => {
    const two = { ...many, lasts: 7_200, steps: [step('fault-1', 0, 600), step('fault-2', 1_600, 600)] };
    const found = await shrink(two, {
      breaks: needs('fault-1', 'fault-2'),
      budget: plenty,
      confirmations: 0,
    });
    expect(found.schedule).toBe(two);
    expect(certainty(found)).toMatch(/^nothing shorter broke it; \d+ runs in 0.0 min$/);
  });

  it('goes on when a schedule cannot be run', async () => {
    const { schedule } = await shrink(many, {
      breaks: (candidate) =>
        candidate.steps.some(({ fault }) => fault === 'fault-9')
          ? Promise.reject(new Error('no server'))
          : needs('fault-3')(candidate),
      budget: plenty,
    });
    expect(names(schedule)).toEqual(['fault-3']);
  });

  it('reports each run', async () => {
    const lines: string[] = [];
    await shrink(many, {
      breaks: needs('fault-3'),
      budget: { runs: 2, minutes: 100 },
      attempts: 1,
      onProgress: (line) => lines.push(line),
    });
    expect(lines[0]).toBe('run 1, attempt 1 of 1: no fault, in 20.0 s: held');
    expect(lines[1]).toMatch(/^run 2, attempt 1 of 1: fault-0 api-1 at 0.0 s for 4.0 s, .*: broken$/);
    expect(describeSteps({ ...many, steps: [step('cut', 1_500, 0)] })).toBe('cut api-1 at 1.5 s, in 60.0 s');
  });
});
