import type { FeatureCommands } from '../../platform/lifecycle/index.js';
import { UsersService } from './users.service.js';

/** `user:promote`. */
export const userCommands: FeatureCommands = (cli, { run, print }) => {
  cli
    .command('user:promote')
    .description('make a registered user an admin; takes effect at the next login or refresh')
    .argument('<email>')
    .action((email: string) =>
      run(async (context) => {
        const promoted = await context.get(UsersService, { strict: false }).promote(email);
        print(promoted ? `${promoted.email} is an admin now.` : `Nobody is registered as ${email}.`);
        return promoted ? 0 : 1;
      }),
    );
};
