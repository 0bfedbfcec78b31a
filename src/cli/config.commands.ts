import type { Command } from 'commander';
import { runCommand } from '../platform/lifecycle/index.js';
import { print } from './print.js';

/** `config:check`. */
export function configCommands(cli: Command): void {
  cli
    .command('config:check')
    .description(
      'check the environment as the api and the worker would, listing every problem; connects to nothing',
    )
    .action(() =>
      runCommand((settings) => {
        print(`The configuration is valid (${settings.app.environment}).`);
        return Promise.resolve(0);
      }),
    );
}
