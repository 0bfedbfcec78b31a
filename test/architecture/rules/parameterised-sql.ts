import ts from 'typescript';
import { lineOf, walk, type Rule, type Violation } from '../project.js';

/** Methods whose first argument is SQL, or an object with SQL as its `text`. */
const SQL_METHODS = new Set([
  'query',
  'queryOne',
  'read',
  'execute',
  'stream',
  'where',
  'andWhere',
  'orWhere',
  'having',
  'orderBy',
  'addOrderBy',
  'groupBy',
  'select',
  'addSelect',
]);
const SQL_TEXT =
  /^\s*(SELECT\b.+\bFROM|INSERT\s+INTO|UPDATE\s+\S+\s+SET|DELETE\s+FROM|MERGE\s+INTO|WITH\s.+\bAS\b|(ALTER|DROP|CREATE|TRUNCATE|LOCK)\s)/is;

/** Values travel beside SQL, never inside it: what is put into its text must be a constant of the program, or a number. */
export const parameterisedSql: Rule = {
  name: 'parameterised-sql',
  check: (project) =>
    project.sources.flatMap(({ path, ast }) => {
      const found: Violation[] = [];
      walk(ast, (node) => {
        if (!isWholeText(node) || !isSql(node)) return;
        for (const part of insertsOf(node)) {
          if (new Constancy(project.checker).isConstant(part)) continue;
          found.push({
            path,
            line: lineOf(part),
            what: `puts \`${part.getText()}\` into the text of a statement`,
            remedy: 'Pass it in `values` as $1, or make it a constant',
          });
        }
      });
      return found;
    }),
};

type Text = ts.TemplateExpression | ts.BinaryExpression;

function isWholeText(node: ts.Node): node is Text {
  if (ts.isTemplateExpression(node)) return !isPlus(node.parent);
  return isPlus(node) && !isPlus(node.parent);
}

function isPlus(node: ts.Node): node is ts.BinaryExpression {
  return ts.isBinaryExpression(node) && node.operatorToken.kind === ts.SyntaxKind.PlusToken;
}

/** By where it is used, or by how it reads. */
function isSql(node: Text): boolean {
  let argument: ts.Node = node;
  if (ts.isPropertyAssignment(node.parent) && node.parent.name.getText() === 'text')
    argument = node.parent.parent;
  const call = argument.parent;
  if (
    ts.isCallExpression(call) &&
    call.arguments[0] === argument &&
    ts.isPropertyAccessExpression(call.expression)
  ) {
    if (SQL_METHODS.has(call.expression.name.text)) return true;
  }
  return SQL_TEXT.test(staticTextOf(node));
}

function staticTextOf(node: ts.Expression): string {
  if (ts.isStringLiteralLike(node)) return node.text;
  if (ts.isTemplateExpression(node))
    return [node.head.text, ...node.templateSpans.map(({ literal }) => literal.text)].join('?');
  return isPlus(node) ? staticTextOf(node.left) + staticTextOf(node.right) : '?';
}

function insertsOf(node: ts.Expression): ts.Expression[] {
  if (ts.isTemplateExpression(node)) return node.templateSpans.map(({ expression }) => expression);
  if (isPlus(node)) return [...insertsOf(node.left), ...insertsOf(node.right)];
  return ts.isStringLiteralLike(node) ? [] : [node];
}

/** Follows an expression back to where its text comes from. */
class Constancy {
  private readonly following = new Set<ts.Node>();

  constructor(private readonly checker: ts.TypeChecker) {}

  isConstant(node: ts.Expression): boolean {
    if (this.hasHarmlessType(node)) return true;
    if (ts.isStringLiteralLike(node)) return true;
    if (ts.isParenthesizedExpression(node) || ts.isAsExpression(node) || ts.isSatisfiesExpression(node)) {
      return this.isConstant(node.expression);
    }
    if (ts.isTemplateExpression(node) || isPlus(node))
      return insertsOf(node).every((part) => this.isConstant(part));
    if (ts.isConditionalExpression(node))
      return this.isConstant(node.whenTrue) && this.isConstant(node.whenFalse);
    if (ts.isBinaryExpression(node)) return this.isConstant(node.left) && this.isConstant(node.right);
    if (ts.isIdentifier(node) || ts.isPropertyAccessExpression(node)) return this.isConstantName(node);
    if (ts.isElementAccessExpression(node)) return this.isConstant(node.expression);
    if (ts.isArrayLiteralExpression(node)) return node.elements.every((element) => this.isConstant(element));
    if (ts.isObjectLiteralExpression(node)) {
      return node.properties.every(
        (property) => ts.isPropertyAssignment(property) && this.isConstant(property.initializer),
      );
    }
    return ts.isCallExpression(node) && this.isConstantCall(node);
  }

  /** Numbers and unions of literals cannot carry SQL. */
  private hasHarmlessType(node: ts.Expression): boolean {
    const type = this.checker.getTypeAtLocation(node);
    const kinds = type.isUnion() ? type.types : [type];
    const harmless =
      ts.TypeFlags.NumberLike |
      ts.TypeFlags.BigIntLike |
      ts.TypeFlags.BooleanLike |
      ts.TypeFlags.StringLiteral;
    return kinds.every(({ flags }) => (flags & harmless) !== 0);
  }

  private isConstantName(node: ts.Identifier | ts.PropertyAccessExpression): boolean {
    const symbol = this.checker.getSymbolAtLocation(node);
    const real =
      symbol && symbol.flags & ts.SymbolFlags.Alias ? this.checker.getAliasedSymbol(symbol) : symbol;
    const declaration = real?.valueDeclaration;
    if (!declaration || this.following.has(declaration)) return false;
    const fixed =
      (ts.isVariableDeclaration(declaration) &&
        (ts.getCombinedNodeFlags(declaration) & ts.NodeFlags.Const) !== 0) ||
      (ts.isPropertyDeclaration(declaration) &&
        (ts.getCombinedModifierFlags(declaration) & ts.ModifierFlags.Readonly) !== 0) ||
      (ts.isPropertyAssignment(declaration) &&
        ts.isPropertyAccessExpression(node) &&
        this.isConstant(node.expression));
    if (!fixed || !declaration.initializer) return false;
    this.following.add(declaration);
    const constant =
      this.isConstant(declaration.initializer) &&
      this.additionsTo(real).every((part) => this.isConstant(part));
    this.following.delete(declaration);
    return constant;
  }

  /** What is pushed onto a list after its declaration. */
  private additionsTo(list: ts.Symbol): ts.Expression[] {
    const added: ts.Expression[] = [];
    const file = list.valueDeclaration?.getSourceFile();
    if (!file) return added;
    walk(file, (node) => {
      if (!ts.isCallExpression(node) || !ts.isPropertyAccessExpression(node.expression)) return;
      const { expression, name } = node.expression;
      if (!['push', 'unshift', 'splice'].includes(name.text)) return;
      if (this.checker.getSymbolAtLocation(expression) === list) added.push(...node.arguments);
    });
    return added;
  }

  /** `list.map(f).join()` of constants, and functions of the program that put constants together. */
  private isConstantCall({ expression, arguments: given }: ts.CallExpression): boolean {
    if (ts.isPropertyAccessExpression(expression)) {
      const { name, expression: list } = expression;
      if (name.text === 'join')
        return this.isConstant(list) && given.every((separator) => this.isConstant(separator));
      if (['trim', 'filter', 'slice', 'toSorted'].includes(name.text)) return this.isConstant(list);
      const [callback] = given;
      if (
        name.text === 'map' &&
        callback &&
        (ts.isArrowFunction(callback) || ts.isFunctionExpression(callback))
      ) {
        return this.answersConstants(callback);
      }
    }
    const called = this.checker.getSymbolAtLocation(expression);
    const real =
      called && called.flags & ts.SymbolFlags.Alias ? this.checker.getAliasedSymbol(called) : called;
    const declaration = real?.valueDeclaration;
    return (
      declaration !== undefined && ts.isFunctionDeclaration(declaration) && this.answersConstants(declaration)
    );
  }

  private answersConstants(node: ts.ArrowFunction | ts.FunctionExpression | ts.FunctionDeclaration): boolean {
    if (!node.body || this.following.has(node)) return false;
    this.following.add(node);
    const answers: ts.Expression[] = [];
    if (ts.isBlock(node.body)) {
      walk(node.body, (child) => {
        if (ts.isReturnStatement(child) && child.expression) answers.push(child.expression);
      });
    } else {
      answers.push(node.body);
    }
    const constant = answers.length > 0 && answers.every((answer) => this.isConstant(answer));
    this.following.delete(node);
    return constant;
  }
}
