import type { Rule } from '../project.js';

const LIMIT = 300;

/** A long file is a sign of two things living together. */
export const smallFiles: Rule = {
  name: 'small-files',
  check: ({ files }) =>
    files.flatMap(({ path, ast }) => {
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
