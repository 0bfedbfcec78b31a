import type { Rule } from '@angular-devkit/schematics';
import { GeneratorFailure } from '../lib/failure.ts';
import { generator } from '../lib/generator.ts';
import { requireName } from '../lib/names.ts';

interface Options {
  name: string;
  breaks: string;
}

interface Fault {
  title: string;
  /** What is frozen, as code. */
  target: string;
  /** What must hold of every request meanwhile. */
  holds: 'answered' | 'succeeds';
}

/** What can break, and what the platform promises then (docs/degradation.md). */
const FAULTS: Record<string, Fault> = {
  postgres: { title: 'PostgreSQL', target: 'stage.stack.postgres', holds: 'answered' },
  redis: { title: 'Redis', target: 'stage.stack.redis', holds: 'succeeds' },
  smtp: { title: 'the mail server', target: 'stage.stack.sink', holds: 'succeeds' },
  bank: { title: 'the bank', target: 'stage.stack.sandbox', holds: 'succeeds' },
  api: { title: 'one api', target: 'stage.apis[1]!', holds: 'answered' },
  worker: { title: 'one worker', target: 'stage.workers[0]!', holds: 'succeeds' },
};

const FOLDER = 'test/verify/scenarios';
const PAGE = 'docs/verify.md';

/** `npm run g -- scenario slow-bank --breaks bank`: a scenario of the game day, which holds as it is. */
export function scenario({ name, breaks }: Options): Rule {
  return generator((files) => {
    requireName(name);
    const fault = FAULTS[breaks];
    if (!fault)
      throw new GeneratorFailure(
        `"${breaks}" cannot be broken: give --breaks ${Object.keys(FAULTS).join(', ')}.`,
      );
    files.create({ [`${FOLDER}/${name}.scenario.ts`]: source(fault) });
    const holds =
      fault.holds === 'succeeds'
        ? 'every request succeeds'
        : 'every request is answered, or rejected in time';
    const row = `| \`${name}\` | ${fault.title} frozen for 5 s | ${holds} |`;
    files.edit(PAGE, (text) => {
      const rows = [...text.matchAll(/^\| `[a-z-]+` .*\n/gm)];
      const last = rows.at(-1);
      if (!last) return { state: 'cannot', paste: row };
      const end = last.index + last[0].length;
      return { state: 'done', text: `${text.slice(0, end)}${row}\n${text.slice(end)}` };
    });
  });
}

function source({ title, target, holds }: Fault): string {
  const server = target.startsWith('stage.stack');
  const check =
    holds === 'succeeds'
      ? `report.check(
    'every request succeeds',
    failed + refused === 0,
    \`\${count(refused)} rejected, \${count(failed)} failed of \${count(requests)}\${worstOf(failures)}\`,
  );`
      : `report.check(
    'every request is answered, or rejected as the API documents it',
    failed === 0,
    \`\${count(failed)} failed of \${count(requests)}\${worstOf(failures)}\`,
  );
  report.figure('rejected', count(refused));`;
  return `import { setTimeout as delay } from 'node:timers/promises';
import type { ScenarioReport } from '../scenario-report.ts';
import type { Stage } from '../stage.ts';
import { clientele, ledgerTraffic } from '../traffic.ts';
import { count, ms, worstOf } from '../wording.ts';

export const promise = 'With ${title} frozen for 5 s, ${holds === 'succeeds' ? 'every request succeeds' : 'every request is answered, or rejected in time'}.';
export const seconds = 15;

const FROZEN_MS = 5_000;

export async function run(stage: Stage, report: ScenarioReport): Promise<void> {
  const ${server ? 'server' : 'victim'} = ${target};
  const people = await clientele(stage);
  const load = stage.load.start({
    streams: ledgerTraffic(stage, people, { transferring: 20, reading: 80, browsing: 80 }),
  });
  report.phase('quiet load');
  await delay(3_000);
  const frozen = await report.fault('${title} frozen', async () => {
    ${server ? 'server' : 'victim'}.freeze();
    await delay(FROZEN_MS);
    ${server ? 'server' : 'victim'}.thaw();
  });
  report.phase('afterwards');
  await delay(3_000);
  const result = await load.stop();

  report.plot('All traffic', result);
  const { requests, failed, refused, failures } = result.all;
  ${check}
  report.figure('p99 meanwhile', ms(result.between(frozen).p99));
}
`;
}
