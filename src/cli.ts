import './platform/lifecycle/early-signals.js';

const { Command } = await import('commander');
const { databaseCommands } = await import('./cli/database.commands.js');
const { deadLetterCommands } = await import('./cli/dead-letter.commands.js');
const { configCommands } = await import('./cli/config.commands.js');
const { openApiCommands } = await import('./cli/openapi.commands.js');
const { operator } = await import('./cli/run.js');
const { COMMANDS } = await import('./product.commands.js');
const { PRODUCT } = await import('./product.js');

const cli = new Command(PRODUCT.name)
  .description('Operator commands. All of them read the same settings as the api and the worker.')
  .showHelpAfterError()
  .configureHelp({ sortSubcommands: false });

databaseCommands(cli);
deadLetterCommands(cli);
for (const register of COMMANDS) register(cli, operator);
openApiCommands(cli);
configCommands(cli);

await cli.parseAsync();
