import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { build } from './lib/build.js';
import { servePreviews } from './lib/mail-previews.js';

let server: Server;
let url: string;

beforeAll(async () => {
  await build({ onlyIfStale: true });
  server = await servePreviews(0);
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}, 300_000);

afterAll(() => server?.close());

const page = async (path: string) => {
  const answer = await fetch(url + path);
  return { status: answer.status, type: answer.headers.get('content-type'), text: await answer.text() };
};

describe('The previews of mails', () => {
  it('show every mail as HTML and as text, in every language', async () => {
    const { text } = await page('/');
    const links = [...text.matchAll(/href="([^"]+)"/g)].map(([, path = '']) => path);

    expect(links).toEqual(expect.arrayContaining(['/order.placed.en.1.html', '/order.placed.de.1.txt']));
    for (const path of links) {
      const { status, type, text: mail } = await page(path);
      expect([path, status, type]).toEqual([
        path,
        200,
        `text/${path.endsWith('.txt') ? 'plain' : 'html'}; charset=utf-8`,
      ]);
      expect(mail).toContain('The sender');
    }
  });

  it('have nothing else', async () => {
    for (const path of ['/order.placed.fr.1.html', '/../package.json', '/%2e%2e/package.json'])
      expect((await page(path)).status).toBe(404);
  });

  it('listen on the loopback interface alone', () => {
    expect((server.address() as AddressInfo).address).toBe('127.0.0.1');
  });
});
