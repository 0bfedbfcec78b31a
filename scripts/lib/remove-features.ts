import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, posix } from 'node:path';

/** Every product has these: the platform knows callers and their users. */
export const FOUNDATION = ['auth', 'users'];

/** Something that somebody has to decide or to mend first; told in its own words. */
export class RemovalFailure extends Error {}

/** Where code stands that may depend on features; what is generated, installed or a fixture does not count. */
const FOLDERS = ['src', 'migrations', 'test', 'bench', 'scripts', 'local', 'schematics'];

/** Before the name of a table. */
const SQL = String.raw`\b(?:FROM|INTO|JOIN|TABLE|UPDATE) `;
/** Where routes are asked for and tables read. Elsewhere they are only mentioned. */
const ASKING = /^(test|bench)\//;
/** Where files serve others. What `src` offers is there for features to come. */
const HELPING = /^(test|bench|local)\//;
/** Lists of what stands beside them: they lose a line and go on. */
const REGISTERS = /^src\/|^bench\/.+\/index\.ts$/;

const COMPOSE = 'docker-compose.yml';

interface Removed {
  features: string[];
  files: { path: string; reason: string }[];
  /** Files that have lost lines. */
  changed: string[];
}

/**
 * Removes features from the tree at `root`.
 * @param wanted names of features, or `examples`: all but the foundation
 * @throws RemovalFailure before anything is changed, when a kept feature stands on one of them or a migration is about both
 */
export function removeFeatures(root: string, wanted: string[] | 'examples'): Removed {
  const tree = new Tree(root);
  const features = tree.features.filter((name) =>
    wanted === 'examples' ? !FOUNDATION.includes(name) : wanted.includes(name),
  );
  refuse(tree, features, wanted);
  const doomed = new Map<string, string>();
  for (const path of tree.files) {
    const feature = featureOf(path);
    if (feature && features.includes(feature)) doomed.set(path, `the feature "${feature}"`);
  }
  for (const [path, reason] of migrationsOf(tree, features)) doomed.set(path, reason);
  const gone = [...doomed.keys()];
  for (const path of tree.files.filter((file) => ASKING.test(file))) {
    const route = routesOf(tree, gone).find((pattern) => tree.says(path, `${pattern}(?![\\w-])`));
    const table = tablesOf(tree, gone).find((name) => tree.says(path, `${SQL}${name}\\b`));
    if (route) doomed.set(path, `uses the route ${route}`);
    else if (table) doomed.set(path, `uses the table ${table}`);
  }
  spread(tree, doomed);
  const changed = tree.files.filter((path) => !doomed.has(path) && tree.unlist(path, doomed));
  if (forgetSettings(root, settingsOf(tree, [...doomed.keys()]))) changed.push(COMPOSE);
  for (const path of doomed.keys()) rmSync(join(root, path));
  for (const feature of features)
    rmSync(join(root, 'src/modules', feature), { recursive: true, force: true });
  return { features, files: [...doomed].map(([path, reason]) => ({ path, reason })), changed };
}

/** The features that a product may do without, in alphabetical order. */
export function examplesOf(root: string): string[] {
  return new Tree(root).features.filter((name) => !FOUNDATION.includes(name));
}

/** The code of a repository, and what each file needs. */
class Tree {
  readonly files: string[];
  private readonly root: string;
  private readonly texts = new Map<string, string>();

  constructor(root: string) {
    this.root = root;
    this.files = FOLDERS.filter((folder) => existsSync(join(root, folder))).flatMap((folder) =>
      readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
        .map((path) => posix.join(folder, path))
        .filter((path) => /\.(ts|mjs)$/.test(path) && !path.includes('/fixtures/')),
    );
    for (const path of this.files) this.texts.set(path, readFileSync(join(root, path), 'utf8'));
  }

  get features(): string[] {
    return [...new Set(this.files.flatMap((path) => featureOf(path) ?? []))].toSorted();
  }

  text(path: string): string {
    return this.texts.get(path) ?? '';
  }

  /** Whether its code, comments aside, says what matches. */
  says(path: string, pattern: string): boolean {
    return new RegExp(pattern).test(this.text(path).replaceAll(/^\s*(?:\/?\*|\/\/).*$/gm, ''));
  }

  imports(path: string): string[] {
    return [...this.text(path).matchAll(/(?:from|import\(|import)\s*'(\.[^']+)'/g)].map(([, specifier]) =>
      posix.join(dirname(path), specifier ?? '').replace(/\.js$/, '.ts'),
    );
  }

  /** What it imports, or names to start it as a process: beside it, or from its folder of the repository, such as `bench/`. */
  refersTo(path: string): string[] {
    const [folder = ''] = path.split('/');
    const named = [...this.text(path).matchAll(/'([\w/.-]+\.(?:ts|mjs))'/g)];
    return [
      ...this.imports(path),
      ...named.flatMap(([, file = '']) => [posix.join(folder, file), posix.join(dirname(path), file)]),
    ];
  }

  /** Takes the names that come from doomed files out of the lists of this file. @returns whether there were any */
  unlist(path: string, doomed: ReadonlyMap<string, string>): boolean {
    const lost = this.imports(path).filter((target) => doomed.has(target));
    if (lost.length === 0) return false;
    let text = this.text(path);
    const names: string[] = [];
    const importing =
      /^(?:import (?:type )?\{([^}]*)\} from|const \{([^}]*)\} = await import\()\s*'(\.[^']+)'\)?;\n/gm;
    text = text.replaceAll(importing, (line, ...[a, b, specifier]: (string | undefined)[]) => {
      const target = posix.join(dirname(path), specifier ?? '').replace(/\.js$/, '.ts');
      if (!lost.includes(target)) return line;
      names.push(...(a ?? b ?? '').split(',').map((name) => name.replace('type ', '').trim()));
      return '';
    });
    for (const name of names.filter(Boolean)) {
      // An element of an array, or a member of an object.
      text = text.replaceAll(new RegExp(`(?<=[[{,]\\s*)(?:\\w+: )?\\b${name}\\b,?[ ]?\\n?`, 'g'), '');
    }
    writeFileSync(join(this.root, path), text);
    return true;
  }
}

function featureOf(path: string): string | undefined {
  return /^src\/modules\/([^/]+)\//.exec(path)?.[1];
}

function refuse(tree: Tree, features: string[], wanted: string[] | 'examples'): void {
  if (wanted !== 'examples') {
    const unknown = wanted.filter((name) => !tree.features.includes(name));
    if (unknown.length > 0 || wanted.length === 0)
      throw new RemovalFailure(`Name features (${tree.features.join(', ')}), or give --examples.`);
    const kept = wanted.filter((name) => FOUNDATION.includes(name));
    if (kept.length > 0)
      throw new RemovalFailure(`${kept.join(' and ')} cannot be removed: every product has them.`);
  }
  for (const path of tree.files) {
    const feature = featureOf(path);
    if (!feature || features.includes(feature)) continue;
    const needed = tree.imports(path).find((target) => features.includes(featureOf(target) ?? ''));
    if (needed)
      throw new RemovalFailure(
        `${path} imports ${needed}: keep "${featureOf(needed)}", or remove "${feature}" too.`,
      );
  }
}

/** Migrations that make or change tables of these features and of nobody else. */
function migrationsOf(tree: Tree, features: string[]): [string, string][] {
  const owners = new Map(
    tree.files.flatMap((path) => tablesOf(tree, [path]).map((table) => [table, featureOf(path) ?? ''])),
  );
  return tree.files
    .filter((path) => path.startsWith('migrations/'))
    .flatMap((path) => {
      const tables = new Set(
        [
          ...tree.text(path).matchAll(/\b(?:TABLE|ON|UPDATE|INTO)\s+(?:IF (?:NOT )?EXISTS )?"?([a-z_]+)"?/g),
        ].flatMap(([, table]) => (table && owners.has(table) ? table : [])),
      );
      const gone = [...tables].filter((table) => features.includes(owners.get(table) ?? ''));
      if (gone.length === 0) return [];
      if (gone.length < tables.size)
        throw new RemovalFailure(
          `${path} is about ${[...tables].join(', ')}: write a migration for each feature.`,
        );
      return [[path, `the table ${gone.join(', ')}`] as [string, string]];
    });
}

/**
 * What the controllers among these files answer under the name of their feature, such as `/v1/orders`, as patterns. Other addresses, such
 * as those of webhooks, are handed out by stacks that start everything.
 */
function routesOf(tree: Tree, files: string[]): string[] {
  return files.flatMap((path) => {
    const [, route] = /@Controller\('([^']+)'\)/.exec(tree.text(path)) ?? [];
    return route !== undefined && route.split('/')[1] === featureOf(path)
      ? [`/${route.replaceAll(/:\w+/g, '[^/\\s]+')}`]
      : [];
  });
}

/** The tables of the entities among these files. */
function tablesOf(tree: Tree, files: string[]): string[] {
  return files.flatMap((path) => /@Entity\('([^']+)'/.exec(tree.text(path))?.[1] ?? []);
}

/** The variables that these files declare. */
function settingsOf(tree: Tree, files: string[]): string[] {
  return files.flatMap((path) =>
    [...tree.text(path).matchAll(/@Setting\('([A-Z_]+)'/g)].map(([, name]) => name ?? ''),
  );
}

/**
 * Removes the variables of removed features from the containers, also where `PLAINTEXT_CONNECTIONS` lists them: a name without its
 * setting stops the start.
 * @returns whether the file changed
 */
function forgetSettings(root: string, names: string[]): boolean {
  const file = join(root, COMPOSE);
  if (!existsSync(file)) return false;
  const before = readFileSync(file, 'utf8');
  let text = before;
  for (const name of names) {
    text = text.replaceAll(new RegExp(`^ +${name}(_FILE)?: .*\\n`, 'gm'), '');
    text = text.replaceAll(new RegExp(`(PLAINTEXT_CONNECTIONS: .*),${name}\\b`, 'g'), '$1');
  }
  if (text !== before) writeFileSync(file, text);
  return text !== before;
}

/**
 * What imports something doomed is doomed itself, but for registers; and so is what nothing but doomed files refers to.
 */
function spread(tree: Tree, doomed: Map<string, string>): void {
  const users = new Map<string, string[]>();
  for (const path of tree.files) {
    for (const target of tree.refersTo(path)) users.set(target, [...(users.get(target) ?? []), path]);
  }
  for (let size = -1; size !== doomed.size;) {
    size = doomed.size;
    for (const path of tree.files.filter((file) => HELPING.test(file) && !doomed.has(file))) {
      const [first, ...others] = users.get(path) ?? [];
      if (first && [first, ...others].every((user) => doomed.has(user)))
        doomed.set(path, `only ${first} needs it`);
    }
    for (const path of tree.files) {
      if (doomed.has(path) || REGISTERS.test(path)) continue;
      const needed = tree.imports(path).find((target) => doomed.has(target));
      if (needed) doomed.set(path, `needs ${needed}`);
    }
  }
}
