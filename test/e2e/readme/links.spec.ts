import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

const root = join(import.meta.dirname, '../../..');
const readme = readFileSync(join(root, 'README.md'), 'utf8');

describe('what the README points at', () => {
  const targets = [...readme.matchAll(/\]\(([^)#:]+)\)/g)].map(([, target = '']) => target);
  const folders = [...readme.matchAll(/^\| `([\w./*]+\/)` /gm)].map(([, folder = '']) => folder);
  const commands = [...readme.matchAll(/`npm (?:run )?([\w:]+)`/g)].map(([, command = '']) => command);

  it.each([...new Set([...targets, ...folders])])('%s exists', (path) => {
    expect(existsSync(join(root, path))).toBe(true);
  });

  it.each([...new Set(commands)])('npm run %s is a script', (command) => {
    const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
      scripts: Record<string, string>;
    };

    expect(Object.keys(scripts)).toContain(command);
  });
});
