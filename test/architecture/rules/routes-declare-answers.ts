import ts from 'typescript';
import { lineOf, walk, type Rule, type Violation } from '../project.js';

const ROUTES = new Set(['Get', 'Post', 'Put', 'Patch', 'Delete', 'Head', 'Options', 'All']);
/** `@ApiAnswer`, `@ApiPage`, `@ApiOffsetPage` and the response decorators of @nestjs/swagger; `@ApiProblems` covers failures only. */
const ANSWERS = /^Api(Answer|Page|OffsetPage|Response|\w+Response)$/;

/** A route without a documented success has no schema: its answer is neither checked nor serialised as documented. */
export const routesDeclareAnswers: Rule = {
  name: 'routes-declare-answers',
  check: ({ sources }) =>
    sources
      .filter(({ path }) => path.startsWith('src/modules/') && path.endsWith('.controller.ts'))
      .flatMap(({ path, ast }) => {
        const found: Violation[] = [];
        walk(ast, (node) => {
          if (!ts.isMethodDeclaration(node)) return;
          const names = decoratorsOf(node);
          const route = names.find((name) => ROUTES.has(name));
          if (!route || names.some((name) => ANSWERS.test(name))) return;
          found.push({
            path,
            line: lineOf(node.name),
            what: `has the route @${route} ${node.name.getText()}, which does not say what it answers`,
            remedy: 'Add @ApiAnswer(status, Dto) or @ApiPage(Dto), and @ApiProblems(...) for its errors',
          });
        });
        return found;
      }),
};

function decoratorsOf(node: ts.MethodDeclaration): string[] {
  return (ts.getDecorators(node) ?? []).map(({ expression }) =>
    ts.isCallExpression(expression) ? expression.expression.getText() : expression.getText(),
  );
}
