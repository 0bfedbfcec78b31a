import { roomOf, type Rule } from '../project.js';

/**
 * Features are entered through their `index.ts` and nowhere else; what is behind it may change without asking anybody. The product
 * file takes their settings from where they stand: these are read before anything else is loaded.
 */
export const featureEntrance: Rule = {
  name: 'feature-entrance',
  check: ({ sources }) =>
    sources.flatMap(({ path, imports }) =>
      imports.flatMap(({ line, target }) => {
        if (!target) return [];
        const there = roomOf(target);
        if (
          there.kind !== 'feature' ||
          there.path === roomOf(path).path ||
          target === `${there.path}/index.ts` ||
          (path === 'src/product.ts' && target === `${there.path}/${there.name}.settings.ts`)
        )
          return [];
        return {
          path,
          line,
          what: `imports ${target}, an inner file of the feature "${there.name}"`,
          remedy: `Import from ${there.path}/index.ts, and export there what other features may use`,
        };
      }),
    ),
};
