import type { Command } from 'commander';
import { DeadLetters } from '../platform/messaging/index.js';
import { withApplication } from './with-application.js';
import { print, report } from './print.js';
import { positive } from './positive.js';
import { run } from './run.js';

/** `dead-letter list`, `dead-letter replay`. */
export function deadLetterCommands(cli: Command): void {
  const deadLetter = cli.command('dead-letter').description('events and jobs that failed permanently');

  deadLetter
    .command('list')
    .description('list them, newest first')
    .option('--limit <n>', 'maximum number to list', positive, 50)
    .action(({ limit }: { limit: number }) =>
      run((settings) =>
        withApplication(settings, async (app) => {
          const letters = await app.get(DeadLetters, { strict: false }).list({ limit });
          for (const { id, failedAt, consumer, name, attempts, reason } of letters) {
            print([id, failedAt.toISOString(), consumer, name, `${attempts} attempt(s)`, reason].join('  '));
          }
          print(letters.length === 0 ? 'There are no dead letters.' : `${letters.length} dead letter(s).`);
          return 0;
        }),
      ),
    );

  deadLetter
    .command('replay')
    .description('put them back into their queues, to be handled again')
    .argument('[id]', 'id of one dead letter; see `dead-letter list`')
    .option('--all', 'all of them')
    .action((id: string | undefined, { all }: { all?: boolean }) =>
      run((settings) =>
        withApplication(settings, async (app) => {
          if ((id === undefined) === !all) throw new Error('Give either the id of a dead letter or --all.');
          const letters = app.get(DeadLetters, { strict: false });
          const total = await letters.count();
          const replayed = await (id === undefined
            ? letters.replayAll((done) => report(`${done} of ${total} put back`))
            : letters.replay(id));
          print(`${replayed} dead letter(s) put back.`);
          return replayed > 0 || all ? 0 : 1;
        }),
      ),
    );
}
