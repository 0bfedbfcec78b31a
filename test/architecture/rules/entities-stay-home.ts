import ts from 'typescript';
import { lineOf, roomOf, type Project, type Rule, type SourceFile, type Violation } from '../project.js';

const ENTITY = /\.entity\.ts$/;
const INDEX = /^src\/modules\/[^/]+\/index\.ts$/;

/**
 * An entity is the shape of a table. Outside its feature it would turn every migration into everybody's change, so that
 * no other room imports one, no `index.ts` exports one, no controller sees one, and no exported service returns one.
 */
export const entitiesStayHome: Rule = {
  name: 'entities-stay-home',
  check: (project) => project.sources.flatMap((file) => [...imported(file), ...returned(project, file)]),
};

function imported({ path, imports }: SourceFile): Violation[] {
  return imports
    .filter(({ target }) => target && ENTITY.test(target))
    .flatMap(({ line, target = '' }) => {
      const violation = (what: string, remedy: string) => [{ path, line, what, remedy }];
      if (INDEX.test(path)) return violation(`exports the entity ${target}`, 'Export a DTO or a plain type');
      if (path.endsWith('.controller.ts'))
        return violation(
          `is a controller and imports the entity ${target}`,
          'Let the service hand out a DTO',
        );
      if (roomOf(path).path !== roomOf(target).path) {
        return violation(
          `imports the entity ${target} of another room`,
          'Call the exported service of its feature, which hands out a DTO or a plain type',
        );
      }
      return [];
    });
}

/** Methods of classes exported by a feature whose answer holds an entity. */
function returned(project: Project, { path, ast }: SourceFile): Violation[] {
  if (!INDEX.test(path)) return [];
  const { checker } = project;
  const index = checker.getSymbolAtLocation(ast);
  if (!index) return [];
  return checker.getExportsOfModule(index).flatMap((exported) => {
    const symbol = exported.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(exported) : exported;
    const declaration = symbol.declarations?.find(ts.isClassDeclaration);
    if (!declaration) return [];
    return declaration.members.filter(ts.isMethodDeclaration).flatMap((method) => {
      if (ts.getCombinedModifierFlags(method) & ts.ModifierFlags.Private) return [];
      const signature = checker.getSignatureFromDeclaration(method);
      const entity = signature && entityIn(project, checker.getReturnTypeOfSignature(signature));
      if (!entity) return [];
      return {
        path: project.pathOf(method),
        line: lineOf(method.name),
        what: `lets ${symbol.name}.${method.name.getText()} return the entity ${entity} out of its feature`,
        remedy: 'Return a DTO or a plain type',
      };
    });
  });
}

/** Name of an entity that a type is made of: inside promises, lists, unions, and the members of types of this tree. */
function entityIn(project: Project, type: ts.Type, depth = 0): string | undefined {
  const { checker } = project;
  const declaration = type.symbol?.declarations?.[0];
  const path = declaration && project.pathOf(declaration);
  if (path && ENTITY.test(path) && ts.isClassDeclaration(declaration)) return type.symbol.name;
  if (depth > 4) return undefined;
  const parts = [
    ...(type.isUnionOrIntersection() ? type.types : []),
    ...(type.aliasTypeArguments ?? []),
    ...(isReference(type) ? checker.getTypeArguments(type) : []),
    ...(path?.startsWith('src/')
      ? checker.getPropertiesOfType(type).map((property) => checker.getTypeOfSymbol(property))
      : []),
  ];
  for (const part of parts) {
    const entity = entityIn(project, part, depth + 1);
    if (entity) return entity;
  }
  return undefined;
}

function isReference(type: ts.Type): type is ts.TypeReference {
  return (
    (type.flags & ts.TypeFlags.Object) !== 0 &&
    ((type as ts.ObjectType).objectFlags & ts.ObjectFlags.Reference) !== 0
  );
}
