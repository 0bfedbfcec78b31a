import { roomOf, type Rule } from '../project.js';

/** They load file by file: what tracing patches must not be loaded before it, and signals count from the first line on. */
const ENTRIES = new Set(['src/main.ts', 'src/worker.ts', 'src/cli.ts']);

const REGISTERS = new Set(['src/product.ts', 'src/product.commands.ts']);
const REGISTERED = /^src\/(?:modules|platform)\/([^/]+)\/\1\.(settings|commands|seed)\.ts$/;

const KINDS: Partial<Record<ReturnType<typeof roomOf>['kind'], string>> = {
  feature: 'the feature',
  platform: 'the platform room',
};

/**
 * Features and rooms of the platform are entered through their `index.ts`; what is behind it may change without asking anybody. The
 * registers of the product take some things from where they stand: settings, which are read before anything else is loaded, and commands and
 * demo data, which the api and the worker need not load.
 */
export const doors: Rule = {
  name: 'doors',
  check: ({ sources }) =>
    sources.flatMap(({ path, imports }) =>
      imports.flatMap(({ line, target }) => {
        if (!target || ENTRIES.has(path)) return [];
        const there = roomOf(target);
        const kind = KINDS[there.kind];
        if (!kind || there.path === roomOf(path).path || target === `${there.path}/index.ts`) return [];
        if (REGISTERS.has(path) && REGISTERED.test(target)) return [];
        return {
          path,
          line,
          what: `imports ${target}, an inner file of ${kind} "${there.name}"`,
          remedy: `Import from ${there.path}/index.ts, and export there what others may use`,
        };
      }),
    ),
};
