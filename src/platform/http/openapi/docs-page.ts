import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { OpenAPIObject } from '@nestjs/swagger';
import type { FastifyInstance } from 'fastify';

const { resolve } = createRequire(import.meta.url);

const SCRIPT = 'text/javascript; charset=utf-8';
const PNG = 'image/png';

/** Files of swagger-ui-dist that the page needs. */
const FILES = {
  'swagger-ui.css': 'text/css; charset=utf-8',
  'swagger-ui-bundle.js': SCRIPT,
  'favicon-32x32.png': PNG,
};

/** Scripts in the page itself are forbidden (`SECURITY_HEADERS`). */
const START = `SwaggerUIBundle({ url: 'openapi.json', dom_id: '#swagger-ui', deepLinking: true });\n`;

/**
 * Serves `/openapi.json` and the browsable `/docs`. Each body is made when it is first asked for, and kept. Read from its file for
 * each answer, the script of 1.5 MB is a new buffer for each 64 KiB, and V8 collects the whole heap after 64 MB of these: for
 * every 42 answers all cores were busy for 90 ms.
 */
export function serveOpenApi(fastify: FastifyInstance, document: OpenAPIObject): void {
  const serve = (path: string, type: string, make: () => string | Buffer): void => {
    let body: Buffer | undefined;
    fastify.get(path, { config: { priority: 'low', compressed: type !== PNG } }, (_request, reply) => {
      body ??= Buffer.from(make());
      return reply.type(type).send(body);
    });
  };
  serve('/openapi.json', 'application/json; charset=utf-8', () => JSON.stringify(document));
  serve('/docs', 'text/html; charset=utf-8', () => page(document.info.title));
  fastify.get('/docs/', (_request, reply) => reply.redirect('../docs'));
  serve('/docs/start.js', SCRIPT, () => START);
  for (const [name, type] of Object.entries(FILES))
    serve(`/docs/${name}`, type, () => readFileSync(resolve(`swagger-ui-dist/${name}`)));
}

/** Its links are relative, so that a proxy may serve it below any path. */
function page(title: string): string {
  const text = title.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
  return `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <title>${text} API</title>
    <link rel="icon" type="image/png" href="./docs/favicon-32x32.png">
    <link rel="stylesheet" href="./docs/swagger-ui.css">
  </head>
  <body>
    <div id="swagger-ui"></div>
    <script src="./docs/swagger-ui-bundle.js"></script>
    <script src="./docs/start.js"></script>
  </body>
</html>
`;
}
