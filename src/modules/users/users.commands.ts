import type { FeatureCommands } from '../../platform/lifecycle/index.js';
import { UsersService } from './users.service.js';

/** `user:promote`. */
export const userCommands: FeatureCommands = (cli, { run, print }) => {
  cli
    .command('user:promote')
    .description('make a registered user an admin, from the next login or refresh on')
    .argument('<email>')
    .action((email: string) =>
      run(async (context) => {
        const promoted = await context.get(UsersService, { strict: false }).promote(email);
        print(promoted ? `${promoted.email} is an admin now.` : `No user is registered as ${email}.`);
        return promoted ? 0 : 1;
      }),
    );
};
