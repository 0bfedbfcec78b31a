import ts from 'typescript';

export type Registered =
  | { state: 'done'; text: string }
  | { state: 'already there' }
  /** With what to paste. */
  | { state: 'cannot'; paste: string };

/** Adds a class to the exported array `PRODUCT` of a file, with its import; found by syntax tree, so comments and order do not matter. */
export function registered(text: string, { name, from }: { name: string; from: string }): Registered {
  const source = ts.createSourceFile('product.modules.ts', text, ts.ScriptTarget.Latest, true);
  const importing = `import { ${name} } from '${from}';\n`;
  const list = source.statements
    .filter(ts.isVariableStatement)
    .flatMap(({ declarationList }) => [...declarationList.declarations])
    .find((declaration) => declaration.name.getText() === 'PRODUCT')?.initializer;
  if (!list || !ts.isArrayLiteralExpression(list))
    return { state: 'cannot', paste: `${importing}PRODUCT: ${name}` };
  if (list.elements.some((element) => element.getText() === name)) return { state: 'already there' };
  const last = list.elements.at(-1);
  const end = last ? last.end : list.elements.pos;
  const withElement = `${text.slice(0, end)}${last ? ', ' : ''}${name}${text.slice(end)}`;
  const before =
    source.statements
      .filter(ts.isImportDeclaration)
      .find((one) => specifierOf(one) > from)
      ?.getStart() ?? 0;
  return { state: 'done', text: withElement.slice(0, before) + importing + withElement.slice(before) };
}

function specifierOf({ moduleSpecifier }: ts.ImportDeclaration): string {
  return (moduleSpecifier as ts.StringLiteral).text;
}
