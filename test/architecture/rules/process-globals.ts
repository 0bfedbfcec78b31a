import ts from 'typescript';
import { lineOf, walk, type Rule, type SourceFile, type Violation } from '../project.js';

interface Use {
  member: string;
  line: number;
  /** The call that uses it, when it is called. */
  call?: ts.CallExpression;
}

/** Only `config/` reads the environment: everybody else takes a validated, typed setting. */
export const environmentOnlyInConfig: Rule = {
  name: 'environment-only-in-config',
  check: ({ sources }) =>
    sources
      .filter(({ path }) => !path.startsWith('src/config/'))
      .flatMap((file) =>
        usesOfProcess(file)
          .filter(({ member }) => member === 'env' || member === 'loadEnvFile')
          .map(({ member, line }) =>
            violation(
              file,
              line,
              `reads process.${member}`,
              'Declare a setting in src/config/sections and inject Settings',
            ),
          ),
      ),
};

const ENDS = new Set(['exit', 'abort', 'kill', 'reallyExit']);
const LISTENS = new Set(['on', 'once', 'addListener', 'prependListener', 'prependOnceListener']);
const LIFE_EVENTS = /^(SIG[A-Z0-9]+|uncaughtException(Monitor)?|unhandledRejection|beforeExit|exit)$/;

/** Only `platform/lifecycle` ends the process or listens for signals: two opinions about an ending leave half of it undone. */
export const processEndsInLifecycle: Rule = {
  name: 'process-ends-in-lifecycle',
  check: ({ sources }) =>
    sources
      .filter(({ path }) => !path.startsWith('src/platform/lifecycle/'))
      .flatMap((file) => [
        ...usesOfProcess(file).flatMap(({ member, line, call }) => {
          if (ENDS.has(member)) {
            return violation(
              file,
              line,
              `calls process.${member}`,
              'Throw, or return, and let src/platform/lifecycle end the process',
            );
          }
          if (!LISTENS.has(member)) return [];
          const event = call?.arguments[0];
          const name = event && ts.isStringLiteralLike(event) ? event.text : undefined;
          if (name !== undefined && !LIFE_EVENTS.test(name)) return [];
          return violation(
            file,
            line,
            `listens for ${name ?? 'an event'} of the process`,
            'Give runProcess a Service: src/platform/lifecycle calls it in order',
          );
        }),
        ...shutdownHooks(file),
      ]),
};

function shutdownHooks(file: SourceFile): Violation[] {
  const found: Violation[] = [];
  walk(file.ast, (node) => {
    if (
      ts.isCallExpression(node) &&
      ts.isPropertyAccessExpression(node.expression) &&
      node.expression.name.text === 'enableShutdownHooks'
    ) {
      found.push(
        violation(
          file,
          lineOf(node),
          'calls enableShutdownHooks',
          'src/platform/lifecycle handles signals and closes the application',
        ),
      );
    }
  });
  return found;
}

/** Standard output belongs to the logger, which knows the request and never prints a secret. */
export const noConsole: Rule = {
  name: 'no-console',
  check: ({ sources }) =>
    sources.flatMap((file) => {
      const found: Violation[] = [];
      walk(file.ast, (node) => {
        if (!ts.isIdentifier(node) || node.text !== 'console') return;
        const isMember =
          ts.isPropertyAccessExpression(node.parent) &&
          node.parent.name === node &&
          node.parent.expression.getText() !== 'globalThis';
        if (isMember || ts.isPropertyAssignment(node.parent)) return;
        found.push(
          violation(
            file,
            lineOf(node),
            'uses console',
            'Use the Logger of @nestjs/common; commands write to process.stdout',
          ),
        );
      });
      return found;
    }),
};

/** Members of the global `process` that a file uses, however it gets at them. */
function usesOfProcess({ ast, imports }: SourceFile): Use[] {
  const uses: Use[] = imports
    .filter(({ specifier }) => specifier === 'node:process' || specifier === 'process')
    .flatMap(({ names, line }) =>
      names.filter((name) => name !== 'default' && name !== '*').map((member) => ({ member, line })),
    );
  walk(ast, (node) => {
    if (ts.isPropertyAccessExpression(node) && isProcess(node.expression)) {
      uses.push({ member: node.name.text, line: lineOf(node), call: callOf(node) });
    } else if (
      ts.isElementAccessExpression(node) &&
      isProcess(node.expression) &&
      ts.isStringLiteralLike(node.argumentExpression)
    ) {
      uses.push({ member: node.argumentExpression.text, line: lineOf(node), call: callOf(node) });
    } else if (
      ts.isVariableDeclaration(node) &&
      node.initializer &&
      isProcess(node.initializer) &&
      ts.isObjectBindingPattern(node.name)
    ) {
      for (const element of node.name.elements)
        uses.push({ member: (element.propertyName ?? element.name).getText(), line: lineOf(node) });
    }
  });
  return uses;
}

function isProcess(node: ts.Expression): boolean {
  return node.getText() === 'process' || node.getText() === 'globalThis.process';
}

function callOf(node: ts.Expression): ts.CallExpression | undefined {
  return ts.isCallExpression(node.parent) && node.parent.expression === node ? node.parent : undefined;
}

function violation({ path }: SourceFile, line: number, what: string, remedy: string): Violation {
  return { path, line, what, remedy };
}
