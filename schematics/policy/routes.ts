import ts from 'typescript';
import { decoration, find, parse } from '../lib/edit.ts';

/** A route, and who may call it: `public`, `optional`, `caller` or a role. */
export interface Route {
  /** Of its method: `create` */
  name: string;
  /** `createInvoice` */
  operationId?: string;
  /** `POST` */
  verb: string;
  /** `/v1/invoices/:id` */
  path: string;
  access: string;
  /** Its method reads who calls. */
  needsCaller: boolean;
  method: ts.MethodDeclaration;
}

const VERBS = ['Get', 'Post', 'Put', 'Patch', 'Delete', 'Head', 'Options', 'All'];

/** The class with the routes. */
export function controllerIn(source: ts.SourceFile): ts.ClassDeclaration | undefined {
  return find(source, ts.isClassDeclaration, (node) => own(node, 'Controller') !== undefined);
}

export function routesOf(text: string): Route[] {
  const controller = controllerIn(parse(text));
  if (!controller) return [];
  const base = textOf(callOf(own(controller, 'Controller'))?.arguments[0]);
  return controller.members.filter(ts.isMethodDeclaration).flatMap((method) => {
    const verb = VERBS.find((name) => own(method, name));
    if (!verb) return [];
    const path = textOf(callOf(own(method, verb))?.arguments[0]);
    const operationId = /operationId: '(\w+)'/.exec(own(method, 'ApiOperation')?.getText() ?? '')?.[1];
    return [
      {
        name: method.name.getText(),
        operationId,
        verb: verb.toUpperCase(),
        path: `/${[base, path].filter(Boolean).join('/')}`,
        access: accessOf(controller, method),
        needsCaller: hasParameter(method, 'CurrentCaller'),
        method,
      },
    ];
  });
}

/** As the guard decides (src/modules/auth/authentication.guard.ts). */
function accessOf(controller: ts.ClassDeclaration, method: ts.MethodDeclaration): string {
  const role = roleOf(method) ?? roleOf(controller);
  if (hasParameter(method, 'OptionalCaller')) return role ?? 'optional';
  return own(method, 'Public') || own(controller, 'Public') ? 'public' : (role ?? 'caller');
}

export function roleOf(node: ts.HasDecorators): string | undefined {
  return textOf(callOf(own(node, 'RequireRole'))?.arguments[0]) || undefined;
}

function hasParameter(method: ts.MethodDeclaration, name: string): boolean {
  return method.parameters.some((parameter) => decoration(parameter, name));
}

/** A decorator of this very node, not of what is in it. */
export function own(node: ts.HasDecorators, name: string): ts.Decorator | undefined {
  return ts.getDecorators(node)?.find(({ expression }) => callOf(expression)?.expression.getText() === name);
}

export function callOf(node: ts.Decorator | ts.Expression | undefined): ts.CallExpression | undefined {
  const expression = node && ts.isDecorator(node) ? node.expression : node;
  return expression && ts.isCallExpression(expression) ? expression : undefined;
}

function textOf(node: ts.Expression | undefined): string {
  return node && ts.isStringLiteral(node) ? node.text : '';
}
