import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, posix } from 'node:path';

/** Where code stands that may depend on features; what is generated, installed or a fixture does not count. */
const FOLDERS = ['src', 'migrations', 'test', 'bench', 'scripts', 'local', 'schematics'];

export const COMPOSE = 'docker-compose.yml';

/** Code and containers of a repository, by path. */
export type Texts = ReadonlyMap<string, string>;

/** Whether a file has to be among the texts from which a removal is planned. */
export function isRemovable(path: string): boolean {
  const [folder = ''] = path.split('/');
  const isCode = FOLDERS.includes(folder) && /\.(ts|mjs)$/.test(path) && !path.includes('/fixtures/');
  return isCode || path === COMPOSE;
}

/** Read from the disk. */
export function textsAt(root: string): Texts {
  const below = (folder: string): string[] =>
    existsSync(join(root, folder))
      ? readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' }).map((path) =>
          posix.join(folder, path),
        )
      : [];
  const paths = [...FOLDERS.flatMap(below), ...readdirSync(root)].filter(isRemovable);
  return new Map(paths.map((path) => [path, readFileSync(join(root, path), 'utf8')]));
}
