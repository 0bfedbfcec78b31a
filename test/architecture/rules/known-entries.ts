import type { Rule } from '../project.js';

/** What `src/` consists of; `languages` holds texts alone. A folder beside `modules/` would be held to no rule, because each rule knows these by name. */
const FOLDERS = ['cli', 'config', 'languages', 'modules', 'platform'];
const FILES = [
  'api.app.ts',
  'api.module.ts',
  'cli.ts',
  'main.ts',
  'product.commands.ts',
  'product.modules.ts',
  'product.spec.ts',
  'product.ts',
  'worker.app.ts',
  'worker.module.ts',
  'worker.ts',
];

/** Code of the product lives in a feature, code that knows no feature in the platform; there is no third place. */
export const knownEntries: Rule = {
  name: 'known-entries',
  check: ({ files }) => {
    const seen = new Set<string>();
    return files.flatMap(({ path }) => {
      const [top, entry = '', ...below] = path.split('/');
      const known = below.length > 0 ? FOLDERS : FILES;
      if (top !== 'src' || known.includes(entry) || seen.has(entry)) return [];
      seen.add(entry);
      return {
        path,
        line: 1,
        what: `stands in src/${entry}, which is no known part of the application`,
        remedy:
          'Move it into a feature (src/modules/<feature>) or, if it knows no feature, into a room of src/platform',
      };
    });
  },
};
