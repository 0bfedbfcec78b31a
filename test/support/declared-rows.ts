import ts from 'typescript';
import { lineOf, walk, type Project, type SourceFile } from '../architecture/project.js';

/** A statement in the program, with the type that its caller declares for its rows. */
export interface DeclaredStatement {
  /** Where it is sent, such as `src/modules/users/users.repository.ts:42`. */
  place: string;
  text: string;
  columns: DeclaredColumn[];
}

export interface DeclaredColumn {
  name: string;
  /** `string`, `number`, `boolean`, `Date`, `Buffer`, one of these with `[]`, or `object`; the type as written when it is none. */
  type: string;
  nullable: boolean;
}

/** What gives rows of a declared type. */
const READERS = ['query', 'queryOne', 'read', 'streamRows'];

/**
 * All statements whose rows have a declared type. Their texts are constants of the program, in one or more alternatives.
 * @throws when a text cannot be found: its rows would be unchecked
 */
export function declaredStatements(project: Project): DeclaredStatement[] {
  const { checker } = project;
  return project.sources
    .filter(({ path }) => !path.startsWith('src/platform/database/'))
    .flatMap((file) => {
      const found: DeclaredStatement[] = [];
      walk(file.ast, (node) => {
        if (!ts.isCallExpression(node)) return;
        const row = rowTypeOf(node, project);
        if (!row) return;
        const columns = checker
          .getPropertiesOfType(row)
          .map((property) => columnOf(property.name, checker.getTypeOfSymbol(property), checker));
        for (const text of textsOf(node, file, checker))
          found.push({ place: `${file.path}:${lineOf(node)}`, text, columns });
      });
      return found;
    });
}

function rowTypeOf(call: ts.CallExpression, project: Project): ts.Type | undefined {
  const { checker } = project;
  const signature = checker.getResolvedSignature(call);
  const declaration = signature?.declaration;
  if (!declaration || !(ts.isMethodDeclaration(declaration) || ts.isFunctionDeclaration(declaration)))
    return undefined;
  const name = declaration.name?.getText() ?? '';
  if (!READERS.includes(name) || !project.pathOf(declaration).startsWith('src/platform/database/'))
    return undefined;
  const [result] = checker.getTypeArguments(signature.getReturnType() as ts.TypeReference);
  const row =
    name === 'queryOne' ? result : result && checker.getTypeArguments(result as ts.TypeReference)[0];
  // Nothing can be read from a row of an unknown type.
  return row && !(row.flags & ts.TypeFlags.Unknown) ? checker.getNonNullableType(row) : undefined;
}

function columnOf(name: string, type: ts.Type, checker: ts.TypeChecker): DeclaredColumn {
  const value = checker.getNonNullableType(type);
  return { name, type: valueTypeOf(value, checker), nullable: value !== type };
}

function valueTypeOf(type: ts.Type, checker: ts.TypeChecker): string {
  if (checker.isArrayType(type)) {
    const [element] = checker.getTypeArguments(type as ts.TypeReference);
    const name = element && valueTypeOf(element, checker);
    return name === undefined || name === 'object' ? 'object' : `${name}[]`;
  }
  const name = type.symbol?.name;
  if (name === 'Date') return name;
  if (name === 'Buffer' || name === 'Uint8Array') return 'Buffer';
  const members = type.isUnion() ? type.types : [type];
  const all = (flag: ts.TypeFlags) => members.every(({ flags }) => (flags & flag) !== 0);
  if (all(ts.TypeFlags.StringLike)) return 'string';
  if (all(ts.TypeFlags.NumberLike)) return 'number';
  if (all(ts.TypeFlags.BooleanLike)) return 'boolean';
  return all(ts.TypeFlags.Object) ? 'object' : checker.typeToString(type);
}

function textsOf(call: ts.CallExpression, file: SourceFile, checker: ts.TypeChecker): string[] {
  const unreadable = (node: ts.Node): never => {
    throw new Error(
      `${file.path}:${lineOf(call)} \`${node.getText()}\` is no constant, so the rows of this statement cannot be checked`,
    );
  };

  const statements = (node: ts.Expression): ts.Expression[] => {
    if (ts.isParenthesizedExpression(node)) return statements(node.expression);
    if (ts.isConditionalExpression(node))
      return [...statements(node.whenTrue), ...statements(node.whenFalse)];
    if (ts.isIdentifier(node)) return statements(initialiser(node));
    if (ts.isCallExpression(node)) return answersOf(node).flatMap(statements);
    if (!ts.isObjectLiteralExpression(node)) return unreadable(node);
    const text = node.properties.find((property) => property.name?.getText() === 'text');
    if (text && ts.isPropertyAssignment(text)) return [text.initializer];
    return text && ts.isShorthandPropertyAssignment(text)
      ? [declared(checker.getShorthandAssignmentValueSymbol(text), text)]
      : unreadable(node);
  };

  const texts = (node: ts.Expression): string[] => {
    if (ts.isStringLiteralLike(node) || ts.isNumericLiteral(node)) return [node.text];
    if (ts.isParenthesizedExpression(node)) return texts(node.expression);
    if (ts.isConditionalExpression(node)) return [...texts(node.whenTrue), ...texts(node.whenFalse)];
    if (ts.isIdentifier(node)) return texts(initialiser(node));
    if (!ts.isTemplateExpression(node)) return unreadable(node);
    return node.templateSpans.reduce(
      (before, { expression, literal }) =>
        before.flatMap((start) => texts(expression).map((part) => start + part + literal.text)),
      [node.head.text],
    );
  };

  const initialiser = (node: ts.Identifier): ts.Expression =>
    declared(checker.getSymbolAtLocation(node), node);

  const declared = (symbol: ts.Symbol | undefined, node: ts.Node): ts.Expression => {
    const real = symbol && symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol;
    const declaration = real?.valueDeclaration;
    const constant =
      declaration &&
      ts.isVariableDeclaration(declaration) &&
      ts.getCombinedNodeFlags(declaration) & ts.NodeFlags.Const;
    return (constant && declaration.initializer) || unreadable(node);
  };

  /** Of a function that makes a statement: what it returns. */
  const answersOf = (node: ts.CallExpression): ts.Expression[] => {
    const { declaration } = checker.getResolvedSignature(node) ?? {};
    const body = declaration && ts.isFunctionDeclaration(declaration) && declaration.body;
    const answers: ts.Expression[] = [];
    if (body)
      walk(body, (child) => {
        if (ts.isReturnStatement(child) && child.expression) answers.push(child.expression);
      });
    return answers.length > 0 ? answers : unreadable(node);
  };

  const argument = call.arguments.find((one) => !ts.isPropertyAccessExpression(one)) as ts.Expression;
  return statements(argument).flatMap(texts);
}
