import { rmSync, writeFileSync } from 'node:fs';
import { dirname, join, posix } from 'node:path';
import { COMPOSE, textsAt, type Texts } from './code-texts.ts';

/** Every product has these: the platform knows callers and their users. */
export const FOUNDATION = ['auth', 'users'];

/** Something that somebody has to decide or to mend first; told in its own words. */
export class RemovalFailure extends Error {}

/** Before the name of a table. */
const SQL = String.raw`\b(?:FROM|INTO|JOIN|TABLE|UPDATE) `;
/** Where routes are asked for and tables read. Elsewhere they are only mentioned. */
const ASKING = /^(test|bench)\//;
/** Where files serve others. What `src` offers is there for features to come. */
const HELPING = /^(test|bench|local)\//;
/** Lists of what stands beside them: they lose a line and go on. */
const REGISTERS = /^src\/|^bench\/.+\/index\.ts$/;

export interface Removal {
  features: string[];
  /** Tables of these features. */
  tables: string[];
  /** Migrations of these features, in order. They are among the files, unless they stay because they were deployed. */
  migrations: string[];
  files: { path: string; reason: string }[];
  /** New texts of files that lose lines. */
  edits: Map<string, string>;
}

/**
 * Works out what goes with some features. It is not listed anywhere: a feature's folder, its lines in the product's registers, the
 * migrations that are about its tables alone, and every test, bench or script that cannot do without it.
 * @param deployed their migrations stay: databases have run them
 * @throws RemovalFailure when a kept feature stands on one of them or a migration is about both
 */
export function planRemoval(texts: Texts, features: string[], { deployed = false } = {}): Removal {
  const tree = new Tree(texts);
  refuse(tree, features);
  const doomed = new Map<string, string>();
  for (const path of tree.files) {
    const feature = featureOf(path);
    if (feature && features.includes(feature)) doomed.set(path, `the feature "${feature}"`);
  }
  const gone = [...doomed.keys()];
  const tables = tablesOf(tree, gone);
  const migrations = migrationsOf(tree, features);
  if (!deployed) for (const [path, reason] of migrations) doomed.set(path, reason);
  for (const path of tree.files.filter((file) => ASKING.test(file))) {
    const own = /^test\/e2e\/([\w-]+)\.(spec|sample)\.ts$/.exec(path)?.[1];
    const route = routesOf(tree, gone).find((pattern) => tree.says(path, `${pattern}(?![\\w-])`));
    const table = tables.find((name) => tree.says(path, `${SQL}${name}\\b`));
    // Its routes may be below those of another feature.
    if (own && features.includes(own)) doomed.set(path, `the feature "${own}"`);
    else if (route) doomed.set(path, `uses the route ${route}`);
    else if (table) doomed.set(path, `uses the table ${table}`);
  }
  spread(tree, doomed);
  const edits = new Map<string, string>();
  for (const path of tree.files.filter((file) => !doomed.has(file))) {
    const text = withoutConsumers(path, tree.unlisted(path, doomed), queuesOf(tree, gone));
    if (text !== tree.text(path)) edits.set(path, text);
  }
  const compose = texts.get(COMPOSE) ?? '';
  const without = withoutSettings(compose, settingsOf(tree, [...doomed.keys()]));
  if (without !== compose) edits.set(COMPOSE, without);
  const files = [...doomed].map(([path, reason]) => ({ path, reason }));
  return { features, tables, migrations: migrations.map(([path]) => path), files, edits };
}

/**
 * Removes features from the tree at `root`.
 * @throws RemovalFailure before anything is changed, as `planRemoval` does
 */
export function removeFeatures(root: string, features: string[]): Removal {
  const removal = planRemoval(textsAt(root), features);
  for (const [path, text] of removal.edits) writeFileSync(join(root, path), text);
  for (const { path } of removal.files) rmSync(join(root, path));
  for (const feature of features)
    rmSync(join(root, 'src/modules', feature), { recursive: true, force: true });
  return removal;
}

/** The features that a product may do without, in alphabetical order. */
export function examplesOf(root: string): string[] {
  return new Tree(textsAt(root)).features.filter((name) => !FOUNDATION.includes(name));
}

/** The code of a repository, and what each file needs. */
class Tree {
  readonly files: string[];
  private readonly texts: Texts;

  constructor(texts: Texts) {
    this.texts = texts;
    this.files = [...texts.keys()].filter((path) => path !== COMPOSE).toSorted();
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

  /** Its text without the names that come from doomed files. */
  unlisted(path: string, doomed: ReadonlyMap<string, string>): string {
    let text = this.text(path);
    const lost = this.imports(path).filter((target) => doomed.has(target));
    if (lost.length === 0) return text;
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
    return text;
  }
}

function featureOf(path: string): string | undefined {
  return /^src\/modules\/([^/]+)\//.exec(path)?.[1];
}

function refuse(tree: Tree, features: string[]): void {
  const unknown = features.filter((name) => !tree.features.includes(name));
  if (unknown.length > 0 || features.length === 0)
    throw new RemovalFailure(
      `There is no feature "${unknown.join(', ')}". There are: ${tree.features.join(', ')}.`,
    );
  const kept = features.filter((name) => FOUNDATION.includes(name));
  if (kept.length > 0)
    throw new RemovalFailure(`${kept.join(' and ')} cannot be removed: every product has them.`);
  const tables = new Map(
    tree.files.flatMap((path) => {
      const feature = featureOf(path);
      return feature && features.includes(feature)
        ? tablesOf(tree, [path]).map((table) => [table, feature])
        : [];
    }),
  );
  for (const path of tree.files) {
    const feature = featureOf(path);
    if (!feature || features.includes(feature)) continue;
    const needed = tree.imports(path).find((target) => features.includes(featureOf(target) ?? ''));
    if (needed)
      throw new RemovalFailure(
        `${path} imports ${needed}: keep "${featureOf(needed)}", or remove "${feature}" too.`,
      );
    const [, table] =
      [...tree.text(path).matchAll(/@ForeignKey\('(\w+)'/g)].find(([, name]) => tables.has(name ?? '')) ?? [];
    if (table !== undefined)
      throw new RemovalFailure(
        `${path} refers to the table ${table}: keep "${tables.get(table)}", or remove "${feature}" too.`,
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

/** The queues that processors among these files serve. */
function queuesOf(tree: Tree, files: string[]): string[] {
  return files.flatMap((path) =>
    [...tree.text(path).matchAll(/@EventProcessor\('([^']+)'/g)].map(([, name]) => name ?? ''),
  );
}

/**
 * Takes queues out of the consumers of events.
 * @throws RemovalFailure for an event that nothing else handles: no process would start
 */
function withoutConsumers(path: string, text: string, queues: string[]): string {
  return text.replaceAll(/consumers: \[([^\]]*)\]/g, (whole, list: string) => {
    const named = [...list.matchAll(/'([^']+)'/g)].map(([, name]) => name!);
    const left = named.filter((name) => !queues.includes(name));
    if (left.length === named.length) return whole;
    if (left.length === 0)
      throw new RemovalFailure(
        `${path} has an event that only ${named.join(' and ')} handles: give it another consumer, or remove its feature too.`,
      );
    return `consumers: [${left.map((name) => `'${name}'`).join(', ')}]`;
  });
}

/** The variables that these files declare. */
function settingsOf(tree: Tree, files: string[]): string[] {
  return files.flatMap((path) =>
    [...tree.text(path).matchAll(/@Setting\('([A-Z_]+)'/g)].map(([, name]) => name ?? ''),
  );
}

/**
 * Takes the variables of removed features out of the containers, also where `PLAINTEXT_CONNECTIONS` lists them: a name without its
 * setting stops the start.
 */
function withoutSettings(compose: string, names: string[]): string {
  let text = compose;
  for (const name of names) {
    text = text.replaceAll(new RegExp(`^ +${name}(_FILE)?: .*\\n`, 'gm'), '');
    text = text.replaceAll(new RegExp(`(PLAINTEXT_CONNECTIONS: .*),${name}\\b`, 'g'), '$1');
  }
  return text;
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
