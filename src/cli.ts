import { Command } from 'commander';
import { databaseCommands } from './cli/database.commands.js';
import { deadLetterCommands } from './cli/dead-letter.commands.js';
import { configCommands } from './cli/config.commands.js';
import { paymentCommands } from './cli/payment.commands.js';
import { userCommands } from './cli/user.commands.js';

const cli = new Command('holdfast')
  .description('Commands of an operator. Every one reads the same settings as the api and the worker.')
  .showHelpAfterError()
  .configureHelp({ sortSubcommands: false });

for (const register of [databaseCommands, deadLetterCommands, paymentCommands, userCommands, configCommands])
  register(cli);

await cli.parseAsync();
