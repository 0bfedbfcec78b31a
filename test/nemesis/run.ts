/**
 * `npm run verify -- --nemesis`: a seeded search for broken promises (docs/verify.md). Draws what breaks, runs it under load, and
 * checks what clients saw against what is stored.
 */
import { randomInt } from 'node:crypto';
import { resolve } from 'node:path';
import { pick, UsageError } from '../../local/run-options.ts';
import { endOnSignals } from '../verify/end-on-signals.ts';
import { Progress } from '../../local/progress.ts';
import { describeMachine } from '../verify/results.ts';
import { discoverFaults, loadProduct, productNames } from './catalogue.ts';
import { draw, seedOf } from './draw.ts';
import type { NamedFault } from './fault.ts';
import { parseNemesisOptions, usage, type NemesisOptions } from './options.ts';
import { readSchedules } from './replay.ts';
import { describeBroken } from './report/terminal.ts';
import { writeReports } from './report/write.ts';
import { sabotagedCopy, sabotageOf } from './sabotage.ts';
import type { Schedule } from './schedule.ts';
import { Search } from './search.ts';

export async function nemesis(args: string[], defaultReports: string): Promise<number> {
  const options = parseNemesisOptions(args, defaultReports);
  const faults = await discoverFaults();
  if (options.help) process.stdout.write(usage);
  else if (options.list) process.stdout.write(faults.map(describe).join(''));
  else return run(options, faults);
  return 0;
}

async function run(options: NemesisOptions, faults: NamedFault[]): Promise<number> {
  const available = faults.filter((fault) => fault.unavailable?.() === undefined);
  const seed = options.seed ?? randomInt(2 ** 32);
  const schedules = schedulesOf(options, seed, faults);
  endOnSignals();
  const search = new Search(available, {
    env: options.env,
    shrinkMinutes: options.shrinkMinutes,
    other: options.against === undefined ? undefined : resolve(options.against),
  });
  const progress = new Progress(() => search.figures());
  if (options.replay === undefined) progress.say(`Seed ${seed}`);
  const startedAt = Date.now();
  const untilMs = startedAt + (options.minutes ?? Infinity) * 60_000;
  const sabotage = options.sabotage === undefined ? undefined : await sabotageOf(options.sabotage);
  const copies = new Map<string, ReturnType<typeof sabotagedCopy>>();
  const write = (): ReturnType<typeof writeReports> =>
    writeReports(options.reports, {
      startedAt: new Date(startedAt).toISOString(),
      durationMs: Date.now() - startedAt,
      held: search.broken.length === 0,
      machine: describeMachine(),
      sabotage: options.sabotage,
      faults: Object.fromEntries(faults.map(({ name, what }) => [name, what])),
      unavailable: Object.fromEntries(
        faults.flatMap((fault) => {
          const reason = fault.unavailable?.();
          return reason === undefined ? [] : [[fault.name, reason]];
        }),
      ),
      schedules: search.reported,
    });
  try {
    for (const [index, schedule] of schedules.entries()) {
      // As many as fit; a defect that was made on purpose is looked for once.
      const found = sabotage !== undefined && search.broken.length > 0;
      if (index > 0 && (found || Date.now() + search.longestMs > untilMs)) break;
      const product = await loadProduct(nameOf(schedule.product));
      progress.begin(`[${index + 1}] ${schedule.product}, seed ${schedule.seed}`);
      const dist = await product.build();
      if (sabotage && !copies.has(dist)) copies.set(dist, sabotagedCopy(dist, sabotage));
      progress.end(await search.run(schedule, product, { dist: copies.get(dist)?.dist ?? dist, progress }));
      // Each time: a run that is ended must not lose what it has found.
      write();
    }
  } finally {
    for (const { remove } of copies.values()) remove();
  }
  const files = write();
  const held = search.broken.length === 0;
  for (const broken of search.broken)
    for (const line of ['', ...describeBroken(broken, `--replay ${files.json}`)]) progress.say(line);
  progress.say();
  progress.say(search.summary());
  progress.say(`${files.html} shows how it went; ${files.json} can be replayed.`);
  if (!held) return 1;
  return search.failures.length > 0 ? 2 : 0;
}

/** Drawn as they are needed, or those of the file. */
function schedulesOf(options: NemesisOptions, first: number, faults: NamedFault[]): Schedule[] {
  const { replay, product, seconds, everySeconds, minutes, schedules } = options;
  if (replay !== undefined) return readSchedules(replay);
  const chosen = options.only.length === 0 ? faults : pick(faults, options.only);
  const without = pick(faults, options.without);
  const catalogue = chosen.filter((fault) => !without.includes(fault));
  if (catalogue.length === 0) throw new UsageError('No fault is left to draw from');
  const lasts = seconds * 1_000;
  // No schedule takes less than its load.
  const most = schedules ?? (minutes === undefined ? 1 : Math.ceil((minutes * 60) / seconds));
  return Array.from({ length: most }, (_, index) => {
    const settings = { seed: seedOf(first, index), product: nameOf(product), lasts };
    const drawn = draw(catalogue, { ...settings, everyMs: everySeconds * 1_000 });
    // Left out afterwards: a seed gives the same other steps on every machine.
    const possible = (name: string): boolean =>
      catalogue.find((fault) => fault.name === name)?.unavailable?.() === undefined;
    return { ...drawn, steps: drawn.steps.filter(({ fault }) => possible(fault)) };
  });
}

/** @throws UsageError when there is no such product */
function nameOf(product: string): string {
  const names = productNames().map((name) => ({ name }));
  return pick(names, [product])[0]!.name;
}

function describe(fault: NamedFault): string {
  const reason = fault.unavailable?.();
  return `${fault.name.padEnd(24)}  ${fault.what}${reason === undefined ? '' : ` (Not here: ${reason})`}\n`;
}
