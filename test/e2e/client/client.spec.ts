import { execFile } from 'node:child_process';
import { copyFile, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { describeApi } from '../../../src/api.app.js';
import { repositoryRoot } from '../../../local/servers/paths.js';
import { writeClient } from '../../../scripts/lib/api/client.js';
import { startLedger, type LedgerUnderTest } from '../../specimen/ledger-under-test.js';
import { PRODUCT as FEATURES } from '../../specimen/product.modules.js';

const run = promisify(execFile);
const compiler = join(repositoryRoot, 'node_modules/typescript/bin/tsc');

/** Stricter than most of those who will use the client. */
const COMPILER_OPTIONS = {
  strict: true,
  noUncheckedIndexedAccess: true,
  noImplicitOverride: true,
  module: 'nodenext',
  target: 'ES2023',
  skipLibCheck: true,
  lib: ['ES2023', 'DOM', 'DOM.Iterable'],
  types: [],
  outDir: 'dist',
};

describe('the typed client', () => {
  let ledger: LedgerUnderTest;
  /** Outside the repository: no package of it can be found from there. */
  let folder: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'client-'));
    ledger = await startLedger();
    await writeClient(await describeApi(ledger.settings, FEATURES), join(folder, 'client'));
    await copyFile(join(import.meta.dirname, 'fixtures/journey.ts'), join(folder, 'journey.ts'));
    await writeFile(join(folder, 'package.json'), '{ "type": "module" }');
    await writeFile(
      join(folder, 'tsconfig.json'),
      JSON.stringify({ compilerOptions: COMPILER_OPTIONS, include: ['.'] }),
    );
  });

  afterAll(async () => {
    await ledger?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  it('is made from the document that the api serves, without a server', async () => {
    const { body } = await ledger.http.get('/openapi.json');

    expect(JSON.parse(JSON.stringify(await describeApi(ledger.settings, FEATURES)))).toEqual(body);
  });

  it('needs no package', async () => {
    const files = await readdir(join(folder, 'client'), { recursive: true });
    const sources = await Promise.all(
      files
        .filter((name) => name.endsWith('.ts'))
        .map((name) => readFile(join(folder, 'client', name), 'utf8')),
    );
    const imported = sources.flatMap((text) =>
      [...text.matchAll(/\bfrom '([^']+)'/g)].map(([, specifier = '']) => specifier),
    );

    expect(imported.length).toBeGreaterThan(10);
    expect(imported.filter((specifier) => !specifier.startsWith('.'))).toEqual([]);
  });

  // It compiles the client with all of the browser's types.
  it('leads a user through a whole journey, with a type for every answer', { timeout: 300_000 }, async () => {
    await run(process.execPath, [compiler, '-p', folder]).catch((error: { stdout: string }) => {
      throw new Error(`The journey does not compile:\n${error.stdout}`, { cause: error });
    });
    const compiled = pathToFileURL(join(folder, 'dist/journey.js')).href;
    const { journey } = (await import(compiled)) as { journey(url: string): Promise<unknown> };

    expect(await journey(ledger.url)).toEqual({
      registered: 'traveller@example.com',
      registeredAgain: 'email-taken',
      me: 'Ada',
      pages: [1, 1],
      unchanged: 304,
      renamed: 'Trips',
      renamedAgain: 'stale-version',
      transferredOnce: true,
      withdrawals: ['succeeded', '402 withdrawal-declined', '409 insufficient-funds'],
      afterwards: 'unauthenticated',
    });
  });
});
