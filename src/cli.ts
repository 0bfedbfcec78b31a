import './platform/lifecycle/early-signals.js';

const { Command } = await import('commander');
const { databaseCommands } = await import('./cli/database.commands.js');
const { deadLetterCommands } = await import('./cli/dead-letter.commands.js');
const { configCommands } = await import('./cli/config.commands.js');
const { paymentCommands } = await import('./cli/payment.commands.js');
const { userCommands } = await import('./cli/user.commands.js');
const { PRODUCT } = await import('./product.js');

const cli = new Command(PRODUCT.name)
  .description('Commands of an operator. Every one reads the same settings as the api and the worker.')
  .showHelpAfterError()
  .configureHelp({ sortSubcommands: false });

for (const register of [databaseCommands, deadLetterCommands, paymentCommands, userCommands, configCommands])
  register(cli);

await cli.parseAsync();
