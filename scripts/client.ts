/** `npm run client`: writes `client/`, a typed client of this checkout's API (docs/clients.md). */
import { join } from 'node:path';
import { repositoryRoot } from '../local/servers/paths.ts';
import { writeClient } from './lib/api/client.ts';
import { documentOfCheckout } from './lib/api/document.ts';
import { say } from './lib/terminal.ts';

await writeClient(await documentOfCheckout(), join(repositoryRoot, 'client'));
say('Written: client/. It needs no package; copy it to where it is used.');
