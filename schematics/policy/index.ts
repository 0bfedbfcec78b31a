import type { Rule } from '@angular-devkit/schematics';
import ts from 'typescript';
import { memberOf, parse, valueOf, type Edited } from '../lib/edit.ts';
import { requireFeature } from '../lib/existing.ts';
import { GeneratorFailure } from '../lib/failure.ts';
import { generator, type Files } from '../lib/generator.ts';
import { withAccess } from './declare.ts';
import { routesOf, type Route } from './routes.ts';
import { testsOf } from './tests.ts';

interface Options {
  name: string;
  operations: string;
  access: string;
}

/** Both in one place, so that a refusal comes before anything is written. */
interface Controller {
  path: string;
  routes: Route[];
}

/** `npm run g -- policy invoices create,change --access caller`: who may call routes of a feature. */
export function policy({ name, operations, access }: Options): Rule {
  return generator((files) => {
    const folder = requireFeature(files, name);
    requireAccess(files, access);
    const controllers = controllersOf(files, folder);
    const asked = operations.split(',').map((operation) => found(controllers, name, operation.trim()));
    const changed = asked.filter(({ route }) => route.access !== access);
    if (changed.length === 0)
      throw new GeneratorFailure(
        `${asked.map(({ route }) => route.name).join(', ')} of ${name}: already ${access}. Nothing was written.`,
      );
    for (const { route } of changed) refuse(route, access);
    for (const { path } of controllers) {
      const names = changed.filter((one) => one.path === path).map(({ route }) => route.name);
      if (names.length > 0) files.edit(path, (text) => withAccess(text, names, access));
    }
    for (const { route } of changed) expect(files, name, route, access);
  });
}

function controllersOf(files: Files, folder: string): Controller[] {
  return files
    .list(folder)
    .filter((file) => file.endsWith('.controller.ts'))
    .map((file) => `${folder}/${file}`)
    .map((path) => ({ path, routes: routesOf(files.read(path)) }));
}

/** @throws GeneratorFailure with the operations that there are */
function found(controllers: Controller[], name: string, operation: string): { path: string; route: Route } {
  const all = controllers.flatMap(({ path, routes }) => routes.map((route) => ({ path, route })));
  const fits = all.filter(({ route }) => route.operationId === operation || route.name === operation);
  if (fits.length === 1) return fits[0]!;
  const known = all.map(({ route }) => route.operationId ?? route.name).join(', ');
  throw new GeneratorFailure(
    fits.length > 1
      ? `${name} has several operations "${operation}": give the operationId, one of ${known}.`
      : `${name} has no operation "${operation}". There are: ${known || 'none'}.`,
  );
}

/** @throws GeneratorFailure with what there is: everybody, callers, and the roles that the product declares */
function requireAccess(files: Files, access: string): void {
  const roles: string[] = [];
  files.tree.getDir('src/modules').visit((path, entry) => {
    if (!path.endsWith('.ts')) return;
    const [, members] = /interface Roles \{([^}]*)\}/.exec(entry?.content.toString('utf8') ?? '') ?? [];
    for (const [, role] of (members ?? '').matchAll(/^\s*'?([\w-]+)'?: true/gm)) roles.push(role!);
  });
  const known = ['public', 'caller', ...roles];
  if (!known.includes(access))
    throw new GeneratorFailure(`--access is one of ${known.join(', ')}; "${access}" is none of them.`);
}

function refuse({ name, access: before, needsCaller }: Route, access: string): void {
  if (before === 'optional')
    throw new GeneratorFailure(
      `${name} shows callers more than others (@OptionalCaller): who sees which rows is decided in the service.`,
    );
  if (access === 'public' && needsCaller)
    throw new GeneratorFailure(
      `${name} is for the rows of its caller (@CurrentCaller): without one there are none.`,
    );
}

/** Changes what the feature's spec expects; where that is not a table, names the tests that a person has to look at. */
function expect(files: Files, feature: string, route: Route, access: string): void {
  const spec = `test/e2e/${feature}.spec.ts`;
  const state =
    ['public', 'caller', 'admin'].includes(access) && files.has(spec)
      ? inTable(files, spec, route, access)
      : false;
  if (state) return;
  const tests = testsOf(files, feature, route);
  files.left.push(
    `${route.verb} ${route.path} (${route.name}) was for ${route.access} and is for ${access} now. ${
      tests.length > 0
        ? `These tests call it; look who they call it as:\n${tests.join('\n')}`
        : 'No test calls it: write one.'
    }`,
  );
}

/** @returns whether the spec has the table of generated ones */
function inTable(files: Files, spec: string, route: Route, access: string): boolean {
  const value = memberOf(valueOf(parse(files.read(spec)), 'ACCESS'), route.name);
  if (!value || !ts.isStringLiteral(value)) return false;
  files.edit(spec, (text): Edited => {
    return { state: 'done', text: `${text.slice(0, value.getStart())}'${access}'${text.slice(value.end)}` };
  });
  return true;
}
