import type { Command } from 'commander';
import { print } from './print.js';
import { run } from './run.js';

/** `openapi`. */
export function openApiCommands(cli: Command): void {
  cli
    .command('openapi')
    .description('print the OpenAPI document of the api; connects to nothing')
    .action(() =>
      run(async (settings) => {
        const { describeApi } = await import('../api.app.js');
        print(JSON.stringify(await describeApi(settings), null, 2));
        return 0;
      }),
    );
}
