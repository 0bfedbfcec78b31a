import { createHash } from 'node:crypto';
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, relative } from 'node:path';
import ts from 'typescript';
import { build } from '../../scripts/lib/build.ts';
import { withLock } from '../../local/servers/lock.ts';
import { localPath, repositoryRoot } from '../../local/servers/paths.ts';

const target = localPath('specimen');
const stampFile = join(target, '.stamp');

/**
 * Builds the product with the ledger in the place of its features, as a fork would: the same entries, the same platform, another
 * product, one migration more. Kept apart from `dist`, which is what the image ships.
 * @returns the folder that holds main.js, worker.js and cli.js
 */
export async function buildSpecimen(): Promise<string> {
  await build({ onlyIfStale: true });
  await withLock(localPath('locks', 'specimen'), async () => {
    const stamp = fingerprint();
    if (existsSync(stampFile) && readFileSync(stampFile, 'utf8') === stamp) return;
    const partial = `${target}.partial`;
    rmSync(partial, { recursive: true, force: true });
    cpSync(join(repositoryRoot, 'dist'), join(partial, 'src'), { recursive: true });
    for (const file of sources()) {
      const path = relative(repositoryRoot, file).replace(/\.ts$/, '.js');
      // Where the migrator looks for them.
      const output = path.replace('test/specimen/migrations/', 'src/migrations/');
      mkdirSync(dirname(join(partial, output)), { recursive: true });
      writeFileSync(join(partial, output), compiled(file));
    }
    for (const file of ['product.js', 'product.modules.js'])
      writeFileSync(join(partial, 'src', file), `export * from '../test/specimen/${file}';\n`);
    writeFileSync(join(partial, '.stamp'), stamp);
    rmSync(target, { recursive: true, force: true });
    renameSync(partial, target);
  });
  return join(target, 'src');
}

/** Types are `npm run typecheck`'s business. */
function compiled(file: string): string {
  const { config } = ts.readConfigFile(join(repositoryRoot, 'tsconfig.json'), (path) =>
    ts.sys.readFile(path),
  );
  const { options } = ts.convertCompilerOptionsFromJson(config.compilerOptions, repositoryRoot);
  return ts.transpileModule(readFileSync(file, 'utf8'), {
    compilerOptions: { ...options, module: ts.ModuleKind.ESNext, inlineSourceMap: true },
    fileName: file,
  }).outputText;
}

function fingerprint(): string {
  const hash = createHash('sha256').update(readFileSync(join(repositoryRoot, 'dist/.stamp')));
  for (const file of sources()) hash.update(file).update(readFileSync(file));
  return hash.digest('hex');
}

/** What the processes load; the rest of this folder are the tests and how they start them. */
function sources(): string[] {
  const folder = join(repositoryRoot, 'test/specimen');
  const files = ['ledger', 'payees', 'migrations'].flatMap((name) =>
    readdirSync(join(folder, name)).map((file) => join(folder, name, file)),
  );
  return [join(folder, 'product.ts'), join(folder, 'product.modules.ts'), ...files.sort()];
}
