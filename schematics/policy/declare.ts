import ts from 'typescript';
import { decoration, parse, withImport, withoutImport, type Edited } from '../lib/edit.ts';
import { callOf, controllerIn, own, roleOf, routesOf, type Route } from './routes.ts';

interface Change {
  start: number;
  end: number;
  text: string;
}

const HTTP = '../../platform/http/index.js';
const SWAGGER = '@nestjs/swagger';

/**
 * Declares who may call some routes of a controller: the decorators that the guard reads, and what the document says of them. What the class
 * said of all routes, and is true of some only now, its methods say.
 */
export function withAccess(text: string, names: readonly string[], access: string): Edited {
  const controller = controllerIn(parse(text));
  const routes = routesOf(text).map((route) => (names.includes(route.name) ? { ...route, access } : route));
  const undocumented = routes.find(
    ({ name, method }) => names.includes(name) && access !== 'public' && !own(method, 'ApiProblems'),
  );
  if (!controller || undocumented)
    return { state: 'cannot', paste: `${[...decorators(access), problems(access)].join('\n')}` };
  const all = (matches: (access: string) => boolean): boolean =>
    routes.every((route) => matches(route.access));
  const role = roleOf(controller);
  const ofClass = {
    Public: own(controller, 'Public') !== undefined && all((one) => one === 'public'),
    RequireRole: role !== undefined && all((one) => one === role),
    // The decorator of an optional caller documents it by itself.
    ApiBearerAuth: all(isClosed),
  };
  const changes = [
    ...declared(
      controller,
      Object.entries(ofClass).flatMap(([name, is]) => {
        if (!is) return [];
        return name === 'RequireRole' ? [`@RequireRole('${role}')`] : [`@${name}()`];
      }),
      'Controller',
    ),
    ...routes.flatMap((route) => [
      ...declared(
        route.method,
        decorators(route.access).filter((one) => !ofClass[nameOf(one) as keyof typeof ofClass]),
        'ApiOperation',
      ),
      ...(names.includes(route.name) ? documented(route) : []),
    ]),
  ];
  return { state: 'done', text: withImports(applied(text, changes)) };
}

function isClosed(access: string): boolean {
  return access !== 'public' && access !== 'optional';
}

/** Of a method whose class says nothing. */
function decorators(access: string): string[] {
  if (access === 'optional') return [];
  if (access === 'public') return ['@Public()'];
  return [...(access === 'caller' ? [] : [`@RequireRole('${access}')`]), '@ApiBearerAuth()'];
}

function problems(access: string): string {
  return `@ApiProblems(${access === 'caller' ? '401' : '401, 403'})`;
}

function nameOf(decorator: string): string {
  return /\w+/.exec(decorator)![0];
}

/** Gives a node these of the decorators about access and no others: those that are missing stand above another one. */
function declared(node: ts.HasDecorators, wanted: string[], above: string): Change[] {
  const there = ['Public', 'RequireRole', 'ApiBearerAuth'].flatMap((name) => own(node, name) ?? []);
  const kept = there.filter((one) => wanted.includes(one.getText()));
  const removed = there
    .filter((one) => !kept.includes(one))
    .map((one) => ({ start: one.getStart(), end: one.end + spaceAfter(one), text: '' }));
  // A role stands above the bearer that comes with it.
  const next = own(node, 'ApiBearerAuth');
  const at = (next && kept.includes(next) ? next : own(node, above))?.getStart() ?? nameStart(node);
  const missing = wanted.filter((one) => !kept.some((other) => other.getText() === one));
  return [...removed, ...missing.map((one) => ({ start: at, end: at, text: `${one}\n` }))];
}

function spaceAfter(node: ts.Node): number {
  return /^\s*/.exec(node.getSourceFile().text.slice(node.end))![0].length;
}

/** Behind all decorators. */
function nameStart(node: ts.HasDecorators): number {
  const last = ts.getDecorators(node)?.at(-1);
  return last ? last.end + spaceAfter(last) : node.getStart();
}

/** 401 and 403 among the problems of a route, which has them when it is closed to somebody. */
function documented({ method, access }: Route): Change[] {
  const problem = callOf(own(method, 'ApiProblems'));
  if (!problem) return [];
  const wanted = [...(access === 'public' ? [] : ['401']), ...(isRole(access) ? ['403'] : [])];
  const others = problem.arguments
    .map((one) => one.getText())
    .filter((one) => one !== '401' && one !== '403');
  const next = others.findIndex((one) => !(Number(one) < 401));
  const all = others.toSpliced(next < 0 ? others.length : next, 0, ...wanted);
  return [{ start: problem.arguments.pos, end: problem.arguments.end, text: all.join(', ') }];
}

function isRole(access: string): boolean {
  return !['public', 'optional', 'caller'].includes(access);
}

function withImports(text: string): string {
  const source = parse(text);
  const uses = (name: string): boolean => decoration(source, name) !== undefined;
  return [
    ['Public', HTTP],
    ['RequireRole', HTTP],
    ['ApiBearerAuth', SWAGGER],
  ].reduce(
    (all, [name, from]) => (uses(name!) ? withImport(all, [name!], from!) : withoutImport(all, name!, from!)),
    text,
  );
}

/** From the end to the start, so that places stay true. */
function applied(text: string, changes: Change[]): string {
  return changes
    .map((change, i) => ({ ...change, i }))
    .toSorted((a, b) => b.start - a.start || b.end - a.end || b.i - a.i)
    .reduce((all, { start, end, text: added }) => all.slice(0, start) + added + all.slice(end), text);
}
