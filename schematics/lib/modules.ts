import ts from 'typescript';
import {
  appended,
  decoration,
  find,
  inserted,
  memberOf,
  parse,
  withElement,
  withImport,
  withMember,
  type Edited,
} from './edit.ts';

type Lists = 'imports' | 'controllers' | 'providers' | 'exports';

/** Adds to a list of a `@Module`, which gets the list when it has none. */
export function withInModule(text: string, list: Lists, element: string): Edited {
  const options = decoration(parse(text), 'Module')?.arguments[0];
  if (memberOf(options, list)) return withElement(text, memberOf(options, list), element);
  return withMember(text, options, list, `${list}: [${element}]`);
}

/** Adds a provider to a module, with its import. */
export function withProvider(text: string, name: string, from: string): Edited {
  return imported(withInModule(text, 'providers', name), [name], from);
}

/** Adds to what a module declares by `MessagingModule.forFeature`: an event's constant, or a queue in quotes. */
export function withDeclared(text: string, list: 'events' | 'queues', element: string): Edited {
  const declared = find(
    parse(text),
    ts.isCallExpression,
    (node) => node.expression.getText() === 'MessagingModule.forFeature',
  )?.arguments[0];
  if (memberOf(declared, list)) return withElement(text, memberOf(declared, list), element);
  if (declared) return withMember(text, declared, list, `${list}: [${element}]`);
  const call = `MessagingModule.forFeature({ ${list}: [${element}] })`;
  return imported(
    withInModule(text, 'imports', call),
    ['MessagingModule'],
    '../../platform/messaging/index.js',
  );
}

/** Exports names from an `index.ts`. */
export function withExport(text: string, names: string[], from: string): Edited {
  const exports = parse(text).statements.filter(ts.isExportDeclaration);
  const there = exports.flatMap(({ exportClause }) =>
    exportClause && ts.isNamedExports(exportClause) ? exportClause.elements.map((one) => one.name.text) : [],
  );
  const missing = names.filter((name) => !there.includes(name.replace(/^type /, '')));
  if (missing.length === 0) return { state: 'already there' };
  const beside = exports.find(
    ({ moduleSpecifier, isTypeOnly }) =>
      !isTypeOnly && moduleSpecifier && ts.isStringLiteral(moduleSpecifier) && moduleSpecifier.text === from,
  )?.exportClause;
  if (beside && ts.isNamedExports(beside))
    return { state: 'done', text: appended(text, beside.elements, missing.join(', ')) };
  return {
    state: 'done',
    text: inserted(text, text.length, `export { ${missing.join(', ')} } from '${from}';\n`),
  };
}

/** An edit with the import that it needs. */
export function imported(edited: Edited, names: string[], from: string): Edited {
  return edited.state === 'done' ? { ...edited, text: withImport(edited.text, names, from) } : edited;
}
