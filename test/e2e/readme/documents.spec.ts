import { execFile } from 'node:child_process';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';

const root = join(import.meta.dirname, '../../..');
const run = promisify(execFile);
const documents = globSync(['*.md', 'docs/**/*.md', 'bench/*.md'], { cwd: root });
const textOf = (path: string): string => readFileSync(join(root, path), 'utf8');

describe('the documents', () => {
  it.each(documents)('%s links to what is there', (path) => {
    const targets = [...textOf(path).matchAll(/\]\(([^)#:]+)(?:#[^)]*)?\)/g)].map(
      ([, target = '']) => target,
    );
    const missing = targets.filter((target) => !existsSync(join(root, dirname(path), target)));

    expect(missing).toEqual([]);
  });

  it('name folders that are there', () => {
    const folders = [...textOf('README.md').matchAll(/^\| `([\w./*]+\/)` /gm)].map(
      ([, folder = '']) => folder,
    );

    expect(folders).not.toEqual([]);
    expect(folders.filter((folder) => !existsSync(join(root, folder)))).toEqual([]);
  });

  // only: starter
  it('have no command in the tutorial that CI does not run', () => {
    const blocks = [...textOf('docs/tutorial.md').matchAll(/^```sh\n(.*?)^```/gms)].map(
      ([, block = '']) => block,
    );
    const commands = blocks.flatMap((block) => block.trim().split('\n'));
    const ran = textOf('.ci/fork').split('\n');

    expect(commands.length).toBeGreaterThan(8);
    expect(commands.filter((command) => !ran.includes(command))).toEqual([]);
  });
  // end

  it('name scripts of package.json', () => {
    const { scripts } = JSON.parse(textOf('package.json')) as { scripts: Record<string, string> };
    const named = documents
      .flatMap((path) =>
        [...textOf(path).matchAll(/(?:\bnpm run |`npm )([\w:-]+)/g)].map(([, script = '']) => script),
      )
      .filter((script) => !['ci', 'run', 'install'].includes(script));

    expect(Object.keys(scripts)).toEqual(expect.arrayContaining([...new Set(named)]));
  });
});

describe('the how-tos', () => {
  const pages = globSync('docs/how-to/*.md', { cwd: root });
  const index = textOf('docs/README.md');

  it.each(pages)('%s is in the index', (path) => {
    expect(index).toContain(path.replace('docs/', ''));
  });

  it.each(pages)('%s imports what the platform exports', (path) => {
    const imports = [
      ...textOf(path).matchAll(/import \{([^}]+)\} from '\.\.\/\.\.\/(platform\/[\w-]+)\/index\.js'/g),
    ];
    const missing = imports.flatMap(([, names = '', room = '']) => {
      const door = textOf(`src/${room}/index.ts`);
      const passedOn = [...door.matchAll(/export \* from '\.\/([\w./-]+)\.js'/g)].map(([, file = '']) =>
        textOf(`src/${room}/${file}.ts`),
      );
      const exported = [door, ...passedOn].join('\n');
      return names
        .split(',')
        .map((name) => name.replace('type ', '').trim())
        .filter((name) => !new RegExp(`\\b${name}\\b`).test(exported));
    });

    expect(missing).toEqual([]);
  });

  it.each(pages)('%s generates with kinds and options that there are', (path) => {
    const commands = [...textOf(path).matchAll(/npm run g -- ([\w-]+)([^`\n]*)/g)];
    const wrong = commands.filter(([, kind = '', rest = '']) => {
      const schema = join(root, 'schematics', kind, 'schema.json');
      if (!existsSync(schema)) return true;
      const { properties } = JSON.parse(readFileSync(schema, 'utf8')) as { properties: object };
      const options = [...rest.matchAll(/--([a-z-]+)/g)].map(([, name = '']) =>
        name.replaceAll(/-(\w)/g, (_, letter: string) => letter.toUpperCase()),
      );
      return options.some((name) => !(name in properties));
    });

    expect(wrong.map(([command]) => command)).toEqual([]);
  });
});

describe('AGENTS.md', () => {
  const agents = textOf('AGENTS.md');
  const commands = [...agents.matchAll(/^(npx vitest run [^#\n]+|npm run \w+)/gm)].map(([line]) =>
    line.trim(),
  );

  it('is short', () => {
    expect(agents.split('\n').length).toBeLessThanOrEqual(60);
  });

  it.each(commands.filter((command) => command.startsWith('npx vitest')))(
    '%s finds tests',
    async (command) => {
      const list = command.replace('vitest run', 'vitest list --filesOnly');
      const { stdout } = await run('sh', ['-c', list], { cwd: root });

      expect(stdout).toMatch(/\.spec\.ts$/m);
    },
  );

  it('begins with a command that says what is missing here', async () => {
    expect(commands[0]).toBe('npm run doctor');
    // Whatever it finds on this machine.
    const { stdout } = await run('npm', ['run', '--silent', 'doctor'], { cwd: root }).catch(
      (error: unknown) => error as { stdout: string },
    );

    for (const label of ['Node', 'Packages', 'Git', 'Redis', 'Ports']) expect(stdout).toContain(`${label} `);
  });
});
