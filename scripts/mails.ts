/**
 * `npm run mails`: every mail of the product in a browser, in every language, with sample data. For development: the image has no
 * `scripts`, and nothing of this is in the product.
 */
import type { AddressInfo } from 'node:net';
import { build } from './lib/build.ts';
import { servePreviews } from './lib/mail-previews.ts';
import { say } from './lib/terminal.ts';

await build({ onlyIfStale: true });
const server = await servePreviews(Number(process.env.PORT ?? 3100));
say(`The mails are at http://127.0.0.1:${(server.address() as AddressInfo).port}. Ctrl-C ends it.`);
