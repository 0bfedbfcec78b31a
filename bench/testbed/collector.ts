/** Accepts OpenTelemetry's exports at once, without parsing them, and counts them. */
import { createServer } from 'node:http';

let exports = 0;
let bytes = 0;

const server = createServer((request, response) => {
  if (request.url === '/received') {
    response.setHeader('content-type', 'application/json').end(JSON.stringify({ exports, bytes }));
    return;
  }
  if (request.method === 'POST') exports += 1;
  request.on('data', (chunk: Buffer) => (bytes += chunk.length));
  request.on('end', () => response.setHeader('content-type', 'application/json').end('{}'));
});
server.listen(Number(process.env.PORT), '127.0.0.1');
process.once('SIGTERM', () => process.exit(0));
