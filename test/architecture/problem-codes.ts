import ts from 'typescript';
import { lineOf, walk, type Project } from './project.js';

/** A problem that the code declares: an object literal with a `code` and a `detail`. */
export interface DeclaredProblem {
  path: string;
  line: number;
  /** Undefined where it cannot be read from the source. */
  code?: string;
  status?: number;
  retryAfter: boolean;
  /** Of every dependency; a problem of one of them has the better explanation. */
  general?: boolean;
  /** The doc comment of its `code`: what it means, and what the client does. */
  explanation?: string;
}

/** Classes of the taxonomy that decide the status alone. */
const STATUSES = new Map([
  ['TransientError', 503],
  ['NotAttemptedError', 503],
  ['UnknownOutcomeError', 504],
]);

/** Every problem in the sources. A code that another problem hands on is declared there. */
export function problemsIn(project: Project): DeclaredProblem[] {
  const dependencies = dependenciesOf(project);
  return project.sources.flatMap(({ path, ast }) => {
    const found: DeclaredProblem[] = [];
    walk(ast, (node) => {
      if (!ts.isObjectLiteralExpression(node) || !memberOf(node, 'detail')) return;
      const code = memberOf(node, 'code');
      if (!code) return;
      const readable: Partial<Literal>[] = literalsOf(project, valueOf(code)) ?? [{}];
      for (const { text, entry } of readable) {
        const status = entry ? Number(entry.name.getText()) : statusOf(project, node);
        const general = text?.startsWith('*');
        const problem = {
          path,
          line: lineOf(code),
          status,
          general,
          retryAfter: status === 429 || status === 503 || node.getText().includes('Retry-After'),
          explanation: docOf(entry ?? code),
        };
        const codes = general ? dependencies.map((name) => text?.replace('*', name)) : [text];
        found.push(...codes.map((expanded) => ({ ...problem, code: expanded })));
      }
    });
    return found;
  });
}

/** Codes by the problem that explains each. */
export function explainedProblems(problems: DeclaredProblem[]): Map<string, DeclaredProblem> {
  const explained = new Map<string, DeclaredProblem>();
  for (const problem of problems) {
    if (problem.code === undefined || problem.explanation === undefined) continue;
    if (!problem.general || !explained.has(problem.code)) explained.set(problem.code, problem);
  }
  return explained;
}

interface Literal {
  text: string;
  /** Of a table of codes by status. */
  entry?: ts.PropertyAssignment;
}

/** The texts that an expression may be, undefined when that cannot be seen, empty for the code of another problem. */
function literalsOf(project: Project, node: ts.Node): Literal[] | undefined {
  if (ts.isStringLiteralLike(node)) return [{ text: node.text }];
  // The name of a dependency stands before what has gone wrong.
  if (ts.isTemplateExpression(node))
    return [{ text: `*${node.templateSpans.map(({ literal }) => literal.text).join('*')}` }];
  if (ts.isPropertyAccessExpression(node)) return [];
  if (ts.isBinaryExpression(node)) return both(project, node.left, node.right);
  if (ts.isConditionalExpression(node)) return both(project, node.whenTrue, node.whenFalse);
  if (ts.isElementAccessExpression(node)) return tableOf(project, node.expression);
  if (!ts.isIdentifier(node)) return undefined;
  const declaration = declarationOf(project, node);
  // Taken from a problem that is declared elsewhere.
  if (declaration && ts.isBindingElement(declaration)) return [];
  if (!declaration || !ts.isVariableDeclaration(declaration) || !declaration.initializer) return undefined;
  return literalsOf(project, declaration.initializer);
}

function both(project: Project, left: ts.Node, right: ts.Node): Literal[] | undefined {
  const [a, b] = [literalsOf(project, left), literalsOf(project, right)];
  return a && b && [...a, ...b];
}

/** A table of codes by status. */
function tableOf(project: Project, name: ts.Node): Literal[] | undefined {
  const declaration = declarationOf(project, name);
  const table = declaration && ts.isVariableDeclaration(declaration) && declaration.initializer;
  if (!table || !ts.isObjectLiteralExpression(table)) return undefined;
  return table.properties
    .filter(ts.isPropertyAssignment)
    .flatMap((entry) => (literalsOf(project, entry.initializer) ?? []).map(({ text }) => ({ text, entry })));
}

function declarationOf({ checker }: Project, node: ts.Node): ts.Declaration | undefined {
  const symbol = ts.isShorthandPropertyAssignment(node.parent)
    ? checker.getShorthandAssignmentValueSymbol(node.parent)
    : checker.getSymbolAtLocation(node);
  const target = symbol && symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol;
  return target?.declarations?.[0];
}

/** The status beside the code, or that of the error it is made into. */
function statusOf(project: Project, problem: ts.ObjectLiteralExpression): number | undefined {
  const { parent } = problem;
  const fixed = ts.isNewExpression(parent) ? STATUSES.get(parent.expression.getText()) : undefined;
  const member = memberOf(problem, 'status');
  return fixed ?? (member && numberOf(project, valueOf(member)));
}

function numberOf(project: Project, node: ts.Node): number | undefined {
  if (ts.isNumericLiteral(node)) return Number(node.text);
  if (ts.isBinaryExpression(node)) return numberOf(project, node.right);
  if (!ts.isIdentifier(node)) return undefined;
  const declaration = declarationOf(project, node);
  const value = declaration && ts.isVariableDeclaration(declaration) && declaration.initializer;
  return value ? numberOf(project, value) : undefined;
}

/** The dependencies of the product: what `Policies.define` is called with. */
function dependenciesOf({ sources }: Project): string[] {
  const names: string[] = [];
  for (const { ast } of sources) {
    walk(ast, (node) => {
      if (!ts.isCallExpression(node) || !ts.isPropertyAccessExpression(node.expression)) return;
      const [name] = node.arguments;
      if (node.expression.name.text === 'define' && name && ts.isStringLiteral(name)) names.push(name.text);
    });
  }
  return names.toSorted();
}

type Member = ts.PropertyAssignment | ts.ShorthandPropertyAssignment;

function memberOf(object: ts.ObjectLiteralExpression, name: string): Member | undefined {
  return object.properties.find(
    (property): property is Member =>
      (ts.isPropertyAssignment(property) || ts.isShorthandPropertyAssignment(property)) &&
      property.name.getText() === name,
  );
}

function valueOf(member: Member): ts.Node {
  return ts.isPropertyAssignment(member) ? member.initializer : member.name;
}

function docOf(node: ts.Node): string | undefined {
  const doc = ts.getJSDocCommentsAndTags(node).findLast(ts.isJSDoc);
  return doc && ts.getTextOfJSDocComment(doc.comment)?.replaceAll(/\s+/g, ' ');
}
