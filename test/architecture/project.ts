import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, posix, relative, sep } from 'node:path';
import ts from 'typescript';

/** One import or re-export, wherever it stands in a file. */
export interface Import {
  line: number;
  /** As written. */
  specifier: string;
  /** Path of the file it leads to, from the root of the tree; undefined for packages. */
  target?: string;
  /** Names that are taken; empty for `import './x'` and dynamic imports, `*` for everything. */
  names: string[];
  isExport: boolean;
}

export interface SourceFile {
  /** From the root of the tree, with forward slashes. */
  path: string;
  ast: ts.SourceFile;
  imports: Import[];
}

/** Where a file lives: a feature, a room of the platform, the configuration, the roof over all of them, or the local servers. */
export interface Room {
  kind: 'feature' | 'platform' | 'config' | 'root' | 'local';
  /** Folder of the room, such as `src/modules/users`. */
  path: string;
  name: string;
}

/** A rule that is broken: where, what, and what to do about it. */
export interface Violation {
  path: string;
  line: number;
  what: string;
  remedy: string;
}

export interface Rule {
  /** Name of the fixture folder and of the test. */
  name: string;
  check(project: Project): Violation[];
}

export function messageOf({ path, line, what, remedy }: Violation): string {
  return `${path}:${line} ${what}. ${remedy}.`;
}

/** A tree of TypeScript files as the rules see it. Parsed at once; types are worked out only when a rule asks. */
export class Project {
  readonly files: SourceFile[];
  private cachedProgram?: ts.Program;

  constructor(
    readonly root: string,
    folders: string[] = ['src'],
  ) {
    this.files = folders
      .filter((folder) => existsSync(join(root, folder)))
      .flatMap((folder) =>
        readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' }).map((p) => join(folder, p)),
      )
      .map((path) => path.split(sep).join('/'))
      .filter((path) => path.endsWith('.ts') && !path.endsWith('.d.ts') && !/(^|\/)fixtures\//.test(path))
      .toSorted()
      .map((path) => this.parse(path));
  }

  /** The files of the product itself, without the specs beside them. */
  get sources(): SourceFile[] {
    return this.files.filter(({ path }) => path.startsWith('src/') && !path.endsWith('.spec.ts'));
  }

  file(path: string): SourceFile | undefined {
    return this.files.find((file) => file.path === path);
  }

  get checker(): ts.TypeChecker {
    this.cachedProgram ??= this.createProgram();
    return this.cachedProgram.getTypeChecker();
  }

  /** Path of the file in which a declaration stands, when it is one of this tree. */
  pathOf(node: ts.Node): string {
    return relative(this.root, node.getSourceFile().fileName).split(sep).join('/');
  }

  private parse(path: string): SourceFile {
    const fileName = join(this.root, path);
    const ast = ts.createSourceFile(fileName, readFileSync(fileName, 'utf8'), ts.ScriptTarget.ES2023, true);
    return { path, ast, imports: importsOf(path, ast) };
  }

  private createProgram(): ts.Program {
    const { config } = ts.readConfigFile(join(import.meta.dirname, '../../tsconfig.json'), (path) =>
      readFileSync(path, 'utf8'),
    );
    const { options } = ts.parseJsonConfigFileContent(
      { compilerOptions: (config as { compilerOptions: object }).compilerOptions },
      ts.sys,
      join(import.meta.dirname, '../..'),
    );
    const host = ts.createCompilerHost(options);
    const known = new Map(this.files.map(({ ast }) => [ast.fileName, ast]));
    const read = host.getSourceFile.bind(host);
    host.getSourceFile = (name, languageVersion) => {
      const file = known.get(name);
      // The program must hold the very nodes that the rules look at, or its types would be of others.
      if (file && typeof languageVersion === 'object')
        file.impliedNodeFormat = languageVersion.impliedNodeFormat;
      return file ?? read(name, languageVersion);
    };
    return ts.createProgram(
      this.sources.map(({ ast }) => ast.fileName),
      options,
      host,
    );
  }
}

export function roomOf(path: string): Room {
  const feature = /^src\/modules\/([^/]+)\//.exec(path);
  if (feature) return { kind: 'feature', path: `src/modules/${feature[1]}`, name: feature[1] ?? '' };
  const platform = /^src\/platform\/([^/]+)\//.exec(path);
  if (platform) return { kind: 'platform', path: `src/platform/${platform[1]}`, name: platform[1] ?? '' };
  if (path.startsWith('src/config/')) return { kind: 'config', path: 'src/config', name: 'config' };
  if (path.startsWith('local/')) return { kind: 'local', path: 'local', name: 'local' };
  return { kind: 'root', path: 'src', name: 'src' };
}

export function lineOf(node: ts.Node): number {
  return node.getSourceFile().getLineAndCharacterOfPosition(node.getStart()).line + 1;
}

/** Calls `visit` for every node below `node`, itself included. */
export function walk(node: ts.Node, visit: (node: ts.Node) => void): void {
  visit(node);
  ts.forEachChild(node, (child) => walk(child, visit));
}

function importsOf(path: string, ast: ts.SourceFile): Import[] {
  const imports: Import[] = [];
  const add = (node: ts.Node, specifier: string, names: string[], isExport = false) => {
    imports.push({ line: lineOf(node), specifier, target: targetOf(path, specifier), names, isExport });
  };
  walk(ast, (node) => {
    if (ts.isImportDeclaration(node) && ts.isStringLiteral(node.moduleSpecifier)) {
      add(node, node.moduleSpecifier.text, namesOf(node.importClause));
    } else if (
      ts.isExportDeclaration(node) &&
      node.moduleSpecifier &&
      ts.isStringLiteral(node.moduleSpecifier)
    ) {
      const { exportClause } = node;
      const names =
        exportClause && ts.isNamedExports(exportClause)
          ? exportClause.elements.map((e) => (e.propertyName ?? e.name).text)
          : ['*'];
      add(node, node.moduleSpecifier.text, names, true);
    } else if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) {
      const [argument] = node.arguments;
      if (argument && ts.isStringLiteralLike(argument)) add(node, argument.text, []);
    } else if (
      ts.isImportTypeNode(node) &&
      ts.isLiteralTypeNode(node.argument) &&
      ts.isStringLiteral(node.argument.literal)
    ) {
      add(node, node.argument.literal.text, node.qualifier ? [node.qualifier.getText()] : []);
    }
  });
  return imports;
}

function namesOf(clause: ts.ImportClause | undefined): string[] {
  const bindings = clause?.namedBindings;
  const named = !bindings
    ? []
    : ts.isNamespaceImport(bindings)
      ? ['*']
      : bindings.elements.map((e) => (e.propertyName ?? e.name).text);
  return clause?.name ? ['default', ...named] : named;
}

function targetOf(path: string, specifier: string): string | undefined {
  if (!specifier.startsWith('.')) return undefined;
  return posix.join(dirname(path), specifier).replace(/\.js$/, '.ts');
}
