import type { Rule } from '@angular-devkit/schematics';
import { requireFeature } from '../lib/existing.ts';
import { GeneratorFailure } from '../lib/failure.ts';
import { generator, type Files } from '../lib/generator.ts';
import { withProvider } from '../lib/modules.ts';
import { pascal, requireName } from '../lib/names.ts';

interface Options {
  name: string;
  task: string;
  every?: string;
  cron?: string;
  timeZone?: string;
}

const UNITS: Record<string, [words: string, ms: string]> = {
  s: ['SECOND', '1000'],
  m: ['MINUTE', '60_000'],
  h: ['HOUR', '3_600_000'],
  d: ['DAY', '86_400_000'],
};

/** `npm run g -- schedule invoices remind-debtors --every 1h`, or `--cron "30 2 * * *"`. */
export function schedule({ name, task, every, cron, timeZone }: Options): Rule {
  return generator((files) => {
    const folder = requireFeature(files, name);
    requireName(task);
    if (!every === !cron)
      throw new GeneratorFailure(
        'Give --every 1h for an interval, or --cron "30 2 * * *" for certain times.',
      );
    if (timeZone && !cron) throw new GeneratorFailure('--time-zone goes with --cron: an interval has none.');
    requireUnused(files, task);
    const when = every ? interval(every) : pattern(cron!, timeZone);
    const className = pascal(task);
    files.create({
      [`${folder}/${task}.schedule.ts`]: source(className, task, when),
      [`${folder}/${task}.schedule.spec.ts`]: spec(className, task),
    });
    files.edit(`${folder}/${name}.module.ts`, (text) =>
      withProvider(text, className, `./${task}.schedule.js`),
    );
  });
}

/** Names of schedules are keys in Redis: no two may share one. */
function requireUnused(files: Files, task: string): void {
  for (const feature of files.tree.getDir('src/modules').subdirs)
    for (const file of files.list(`src/modules/${feature}`)) {
      const path = `src/modules/${feature}/${file}`;
      if (file.endsWith('.ts') && new RegExp(`@Scheduled\\([^)]*'${task}'`).test(files.read(path)))
        throw new GeneratorFailure(`${path} has the schedule ${task} already: choose another name.`);
    }
}

interface When {
  /** Before the class. */
  constant: string;
  /** The option of `@Scheduled`. */
  option: string;
}

function interval(every: string): When {
  const [, count, unit = ''] = /^([1-9]\d{0,4})([smhd])$/.exec(every) ?? [];
  const known = UNITS[unit];
  if (count === undefined || !known)
    throw new GeneratorFailure(`"${every}" is no interval: write a number and s, m, h or d, such as 15m.`);
  const [words, ms] = known;
  return {
    constant: `const ${words}_MS = ${ms};\n\n`,
    option: `every: ${count === '1' ? '' : `${count} * `}${words}_MS`,
  };
}

function pattern(cron: string, timeZone: string | undefined): When {
  const parts = cron.trim().split(/\s+/);
  if (parts.length < 5 || parts.length > 6 || parts.some((part) => !/^[\d*/,A-Za-z?#-]+$/.test(part)))
    throw new GeneratorFailure(
      `"${cron}" is no pattern: write minute, hour, day, month and day of the week, such as "30 2 * * *".`,
    );
  if (timeZone && !Intl.supportedValuesOf('timeZone').includes(timeZone) && timeZone !== 'UTC')
    throw new GeneratorFailure(`There is no time zone "${timeZone}": write one such as Europe/Berlin.`);
  const zone = timeZone ? `, timeZone: '${timeZone}'` : '';
  return { constant: '', option: `pattern: '${parts.join(' ')}'${zone}` };
}

function source(className: string, task: string, { constant, option }: When): string {
  return `import { Injectable, Logger } from '@nestjs/common';
import { Scheduled } from '../../platform/messaging/index.js';

${constant}@Injectable()
export class ${className} {
  private readonly logger = new Logger(${className}.name);

  /** In one worker of all. It must tolerate being run twice at once, or a little late. */
  @Scheduled({ name: '${task}', ${option} })
  async run(): Promise<void> {
    this.logger.log('${words(task)}: done');
  }
}
`;
}

function spec(className: string, task: string): string {
  return `import { Logger } from '@nestjs/common';
import { expect, it, vi } from 'vitest';
import { ${className} } from './${task}.schedule.js';

it('${words(task)}: says when it is done', async () => {
  const log = vi.spyOn(Logger.prototype, 'log').mockReturnValue();
  await new ${className}().run();

  expect(log).toHaveBeenCalledOnce();
});
`;
}

function words(task: string): string {
  const text = task.replaceAll('-', ' ');
  return text[0]!.toUpperCase() + text.slice(1);
}
