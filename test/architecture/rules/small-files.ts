import type { Rule } from '../project.js';

const LIMIT = 300;

/** A long file is a sign of two things living together. A spec is a list of statements, and may be a long one. */
export const smallFiles: Rule = {
  name: 'small-files',
  check: ({ files }) =>
    files
      .filter(({ path }) => !path.endsWith('.spec.ts'))
      .flatMap(({ path, ast }) => {
        const lines = ast.text.trimEnd().split('\n').length;
        if (lines <= LIMIT) return [];
        return {
          path,
          line: lines,
          what: `has ${lines} lines`,
          remedy: `Split it along its reasons to change; ${LIMIT} lines is the limit`,
        };
      }),
};
