import type { Command } from 'commander';
import { print } from './print.js';
import { run } from './run.js';

/** `config:check`. */
export function configCommands(cli: Command): void {
  cli
    .command('config:check')
    .description(
      'validate the environment as the api and the worker do, and list every problem; connects to nothing',
    )
    .action(() =>
      run((settings) => {
        print(`The configuration is valid (${settings.app.environment}).`);
        return Promise.resolve(0);
      }),
    );
}
