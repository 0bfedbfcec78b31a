import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { join } from 'node:path';
import { repositoryRoot } from '../../local/servers/paths.ts';
import type * as MailTemplates from '../../src/modules/notifications/mail-templates.ts';
import type * as Languages from '../../src/platform/languages/index.ts';
import type * as Spoken from '../../src/languages/index.ts';

/** Unlikely values, which show what a template makes of them. */
const NAMES = [
  'Ada Lovelace',
  'Dr. Maximiliane-Henriette von und zu Äpfelbach',
  '<b>https://evil.example</b>',
];
const NEWS = { orderId: '019a9f3c-0000-7000-8000-00000000beef', amount: 1_234_567, currency: 'EUR' };

/** Serves the mails of the built product on the loopback interface: an index, and each mail as HTML and as text. */
export async function servePreviews(port: number): Promise<Server> {
  const pages = await previews();
  const server = createServer(({ url = '/' }, response) => {
    const page = pages.get(url);
    response
      .writeHead(page === undefined ? 404 : 200, {
        'Content-Type': `text/${url.endsWith('.txt') || page === undefined ? 'plain' : 'html'}; charset=utf-8`,
      })
      .end(page ?? 'There is no such mail.\n');
  });
  await once(server.listen(port, '127.0.0.1'), 'listening');
  return server;
}

async function previews(): Promise<Map<string, string>> {
  const built = (path: string): Promise<unknown> => import(join(repositoryRoot, 'dist', path));
  const { renderMail, MAIL_KINDS } = (await built(
    'modules/notifications/mail-templates.js',
  )) as typeof MailTemplates;
  const { LANGUAGES } = (await built('languages/index.js')) as typeof Spoken;
  const { speak } = (await built('platform/languages/index.js')) as typeof Languages;
  speak(LANGUAGES);
  const pages = new Map<string, string>();
  const rows: string[] = [];
  for (const kind of MAIL_KINDS)
    for (const language of Object.keys(LANGUAGES)) {
      const links = NAMES.map((name, n) => {
        const { subject, text, html } = renderMail(kind, name, NEWS, 'The sender', language);
        const path = `/${kind}.${language}.${n + 1}`;
        pages.set(`${path}.html`, html).set(`${path}.txt`, `Subject: ${subject}\n\n${text}`);
        return `<a href="${path}.html">HTML ${n + 1}</a> <a href="${path}.txt">text ${n + 1}</a>`;
      });
      rows.push(`<tr><td>${kind}</td><td>${language}</td><td>${links.join(' ')}</td></tr>`);
    }
  return pages.set(
    '/',
    `<!doctype html><meta charset="utf-8"><title>Mails</title><table>${rows.join('')}</table>\n`,
  );
}
