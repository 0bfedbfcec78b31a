import type { Command } from 'commander';
import { UsersService } from '../modules/users/index.js';
import { withApplication } from './with-application.js';
import { print } from './print.js';
import { run } from './run.js';

/** `user:promote`. */
export function userCommands(cli: Command): void {
  cli
    .command('user:promote')
    .description('make a registered user an admin; takes effect at the next login or refresh')
    .argument('<email>')
    .action((email: string) =>
      run((settings) =>
        withApplication(settings, async (app) => {
          const promoted = await app.get(UsersService, { strict: false }).promote(email);
          print(promoted ? `${promoted.email} is an admin now.` : `Nobody is registered as ${email}.`);
          return promoted ? 0 : 1;
        }),
      ),
    );
}
