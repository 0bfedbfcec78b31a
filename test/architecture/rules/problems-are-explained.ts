import { problemsIn, type DeclaredProblem } from '../problem-codes.js';
import { roomOf, type Rule } from '../project.js';

/** A client can react to a code that it can look up: docs/problems.md is made of the doc comments beside the codes. */
export const problemsAreExplained: Rule = {
  name: 'problems-are-explained',
  check: (project) => {
    const problems = problemsIn(project);
    return problems.flatMap((problem) => {
      const { path, line, code } = problem;
      if (code === undefined) {
        const remedy = 'Write the code as a literal, beside its detail';
        return [{ path, line, what: 'has a problem whose code cannot be read from the source', remedy }];
      }
      if (problems.some((other) => other.code === code && explains(other, problem))) return [];
      const remedy =
        'Say before `code`, in a doc comment, what it means and what the client does, and run npm run docs';
      return [{ path, line, what: `has a problem ${code}, which nothing explains`, remedy }];
    });
  },
};

/** A feature may use the codes of the platform and its own: with another feature the explanation may go. */
function explains(other: DeclaredProblem, { path }: DeclaredProblem): boolean {
  const room = roomOf(other.path);
  return other.explanation !== undefined && (room.kind !== 'feature' || room.path === roomOf(path).path);
}
