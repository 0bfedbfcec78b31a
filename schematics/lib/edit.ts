import ts from 'typescript';

/** What became of an edit of a file that people write, too. */
export type Edited =
  | { state: 'done'; text: string }
  | { state: 'already there' }
  /** With what to paste, and where. */
  | { state: 'cannot'; paste: string };

type Guard<T extends ts.Node> = (node: ts.Node) => node is T;

/** The syntax tree of a file: edits go by it, so comments, order and line breaks do not matter. */
export function parse(text: string): ts.SourceFile {
  return ts.createSourceFile('file.ts', text, ts.ScriptTarget.Latest, true);
}

/** The first node of a kind, in the order of the text. */
export function find<T extends ts.Node>(
  root: ts.Node,
  guard: Guard<T>,
  matches: (node: T) => boolean = () => true,
): T | undefined {
  if (guard(root) && matches(root)) return root;
  return ts.forEachChild(root, (child) => find(child, guard, matches));
}

/** What a variable is declared as. */
export function valueOf(root: ts.Node, name: string): ts.Expression | undefined {
  return find(root, ts.isVariableDeclaration, (node) => node.name.getText() === name)?.initializer;
}

/** The arguments of a decorator's call. */
export function decoration(root: ts.Node, name: string): ts.CallExpression | undefined {
  const decorator = find(
    root,
    ts.isDecorator,
    ({ expression }) => ts.isCallExpression(expression) && expression.expression.getText() === name,
  );
  return decorator?.expression as ts.CallExpression | undefined;
}

/** A member of an object literal. */
export function memberOf(object: ts.Node | undefined, name: string): ts.Expression | undefined {
  if (!object || !ts.isObjectLiteralExpression(object)) return undefined;
  const member = object.properties.find((property) => property.name?.getText() === name);
  return member && ts.isPropertyAssignment(member) ? member.initializer : undefined;
}

/** Adds an element to the end of a list, unless there is one of the same words. */
export function withElement(text: string, list: ts.Node | undefined, element: string): Edited {
  if (!list || !ts.isArrayLiteralExpression(list)) return { state: 'cannot', paste: element };
  const said = (words: string): string => words.replaceAll(/\s/g, '');
  if (list.elements.some((one) => said(one.getText()) === said(element))) return { state: 'already there' };
  return { state: 'done', text: appended(text, list.elements, element) };
}

/** Adds a member to an object literal, before another one or at its end, unless it is there. */
export function withMember(
  text: string,
  object: ts.Node | undefined,
  name: string,
  member: string,
  before?: string,
): Edited {
  if (!object || !ts.isObjectLiteralExpression(object)) return { state: 'cannot', paste: member };
  const named = (wanted: string) => object.properties.find((one) => one.name?.getText() === wanted);
  if (named(name)) return { state: 'already there' };
  const next = before === undefined ? undefined : named(before);
  return {
    state: 'done',
    text: next ? inserted(text, next.getStart(), `${member}, `) : appended(text, object.properties, member),
  };
}

/** Adds a member to the class that matches, before another one with its comment or at its end, unless it is there. */
export function withProperty(
  text: string,
  name: string,
  member: string,
  { of = () => true, before }: { of?: (node: ts.ClassDeclaration) => boolean; before?: string } = {},
): Edited {
  const found = find(parse(text), ts.isClassDeclaration, of);
  if (!found) return { state: 'cannot', paste: member };
  const named = (wanted: string) => found.members.find((one) => one.name?.getText() === wanted);
  if (named(name)) return { state: 'already there' };
  const next = before === undefined ? undefined : named(before);
  const at = next ? next.getFullStart() : (found.members.at(-1)?.end ?? found.members.pos);
  return { state: 'done', text: inserted(text, at, `\n\n${member}`) };
}

/** Imports names, beside others of the same module where there are some. Types are written as `type Name`. */
export function withImport(text: string, names: string[], from: string): string {
  const imports = parse(text).statements.filter(ts.isImportDeclaration);
  const beside = imports.find(
    (one) =>
      specifierOf(one) === from && one.importClause?.namedBindings?.kind === ts.SyntaxKind.NamedImports,
  );
  if (!beside) {
    const next = imports.find((one) => specifierOf(one) > from && specifierOf(one).startsWith('.'));
    const at = (from.startsWith('.') ? next : imports[0])?.getStart() ?? imports.at(-1)?.end ?? 0;
    const line = `${importOf(names, from)}\n`;
    return inserted(text, at, at > 0 && at === imports.at(-1)?.end ? `\n${line.trimEnd()}` : line);
  }
  const { elements } = beside.importClause!.namedBindings as ts.NamedImports;
  const typesOnly = beside.importClause?.phaseModifier === ts.SyntaxKind.TypeKeyword;
  const there = new Map(elements.map((one) => [one.name.text, typesOnly || one.isTypeOnly]));
  const missing = names.filter(
    (name) => !there.has(bare(name)) || (there.get(bare(name)) === true && !name.startsWith('type ')),
  );
  if (missing.length === 0) return text;
  const all = [
    ...elements
      .filter((one) => !missing.includes(one.name.text))
      .map((one) => (typesOnly && !one.isTypeOnly ? `type ${one.getText()}` : one.getText())),
    ...missing,
  ].toSorted((a, b) => compare(a, b));
  return `${text.slice(0, beside.getStart())}${importOf(all, from)}${text.slice(beside.end)}`;
}

/** Imports a name no longer. */
export function withoutImport(text: string, name: string, from: string): string {
  for (const one of parse(text).statements.filter(ts.isImportDeclaration)) {
    const names = one.importClause?.namedBindings;
    if (specifierOf(one) !== from || !names || !ts.isNamedImports(names)) continue;
    const left = names.elements.filter((element) => element.name.text !== name);
    if (left.length === names.elements.length) continue;
    const line =
      left.length > 0
        ? importOf(
            left.map((element) => element.getText()),
            from,
          )
        : '';
    return text.slice(0, one.getStart()) + line + text.slice(one.end).replace(line ? '' : '\n', '');
  }
  return text;
}

function importOf(names: string[], from: string): string {
  const types = names.every((name) => name.startsWith('type '));
  const clause = types ? `type { ${names.map(bare).join(', ')} }` : `{ ${names.join(', ')} }`;
  return `import ${clause} from '${from}';`;
}

function bare(name: string): string {
  return name.replace(/^type /, '');
}

/** Adds a module of a feature to the product's list of modules. */
export function withModule(text: string, { name, from }: { name: string; from: string }): Edited {
  const edited = withElement(text, valueOf(parse(text), 'PRODUCT'), name);
  if (edited.state === 'cannot')
    return { ...edited, paste: `import { ${name} } from '${from}';\nPRODUCT: ${name}` };
  return edited.state === 'done' ? { ...edited, text: withImport(edited.text, [name], from) } : edited;
}

/** Adds to the end of a list with commas between. */
export function appended(text: string, list: ts.NodeArray<ts.Node>, added: string): string {
  const last = list.at(-1);
  return last ? inserted(text, last.end, `, ${added}`) : inserted(text, list.pos, added);
}

export function inserted(text: string, at: number, added: string): string {
  return text.slice(0, at) + added + text.slice(at);
}

/** The house's order: names, then types. */
function compare(a: string, b: string): number {
  const [typeA, typeB] = [a, b].map((name) => name.startsWith('type '));
  if (typeA !== typeB) return typeA ? 1 : -1;
  return a < b ? -1 : 1;
}

function specifierOf({ moduleSpecifier }: ts.ImportDeclaration): string {
  return (moduleSpecifier as ts.StringLiteral).text;
}
