import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { build } from '../../../scripts/lib/build.js';
import { startTestStack, type TestStack } from '../../../local/stack.js';

// A build, real processes, and an export that is waited for.
vi.setConfig({ testTimeout: 60_000, hookTimeout: 180_000 });

const root = join(import.meta.dirname, '../../..');
const readme = readFileSync(join(root, 'README.md'), 'utf8');
const run = promisify(execFile);

/** The blocks of the README that ask the API something, as they are pasted. */
const blocks = [...readme.matchAll(/^```sh\n(.*?)^```$/gms)]
  .map(([, text = '']) => text)
  .filter((text) => text.includes('curl '));

let stack: TestStack;
let tools: string;
/** What each block has printed, when all of them are pasted into one shell, one after the other. */
let printed: string[];

beforeAll(async () => {
  await build({ onlyIfStale: true });
  stack = await startTestStack();
  const seeded = await stack.cli(['seed:demo']);
  expect(seeded).toMatchObject({ code: 0 });
  const [api] = await Promise.all([stack.api(), stack.worker()]);

  tools = await mkdtemp(join(tmpdir(), 'holdfast-readme-'));
  const substitute = `#!/bin/sh\nexec "${process.execPath}" "${join(import.meta.dirname, 'curl.ts')}" "$@"\n`;
  await writeFile(join(tools, 'curl'), substitute, { mode: 0o755 });
  const here = blocks.map((block) =>
    block
      .replaceAll('localhost:3000', `127.0.0.1:${api.port}`)
      .replaceAll('localhost:3001', `127.0.0.1:${api.managementPort}`)
      // A busy machine may need longer for the export.
      .replaceAll('--retry 10 ', '--retry 60 '),
  );
  const script = here.join('\nprintf "\\n=====\\n"\n');
  // The substitute comes last: where there is curl, it is curl that is tested.
  const { stdout } = await run('sh', ['-euc', script], {
    env: { ...process.env, PATH: `${process.env.PATH}${delimiter}${tools}` },
  });
  printed = stdout.split('\n=====\n');
});

afterAll(async () => {
  await stack?.stop();
  if (tools) await rm(tools, { recursive: true });
});

describe('the lines to try in the README', () => {
  it('are six blocks', () => {
    expect(blocks).toHaveLength(6);
    expect(printed).toHaveLength(6);
  });

  it('log in', () => {
    expect(printed[0]).toMatch(/"email":"customer@example.com"/);
  });

  it('order once, even when repeated', () => {
    expect(blocks[1]).toContain('/v1/orders');
    const [first, again] = printed[1]?.trim().split('\n') ?? [];

    expect(first).toMatch(/^[0-9a-f-]{36}$/);
    expect(again).toBe(first);
  });

  it('pay, with known or unknown outcome', () => {
    expect(printed[2]).toMatch(/} 20[12]\n{"id":.*"status":"(pending|paid)"/s);
  });

  it('export the order', () => {
    expect(printed[3]).toContain('orderId,userId,status,itemCount,totalAmount,currency,createdAt');
    expect(printed[3]).toContain(printed[1]?.trim().split('\n')[0]);
  });

  it('list the mail', () => {
    expect(printed[4]).toMatch(/{"data":\[.*"nextCursor"/s);
  });

  it('send an invalid request, and read health and metrics', () => {
    expect(printed[5]).toMatch(/"pointer":"\/email".*"pointer":"\/password"/s);
    expect(printed[5]).toMatch(/"status":"ok".*http_request_duration_seconds_count{.*} [1-9]/s);
  });
});
