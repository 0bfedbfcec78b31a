import type { Import, Rule } from '../project.js';

const DATABASE_PACKAGES = new Set(['typeorm', '@nestjs/typeorm', 'pg']);

/** A controller turns HTTP into a call of a service and back; queries and transactions are not its business. */
export const controllersDecideNothing: Rule = {
  name: 'controllers-decide-nothing',
  check: ({ sources }) =>
    sources
      .filter(({ path }) => path.endsWith('.controller.ts'))
      .flatMap(({ path, imports }) =>
        imports.flatMap((entry) => {
          const what = offence(entry);
          return what
            ? { path, line: entry.line, what, remedy: 'Call a service of the feature, which does it' }
            : [];
        }),
      ),
};

function offence({ specifier, target, names }: Import): string | undefined {
  if (target?.endsWith('.repository.ts')) return `is a controller and imports the repository ${target}`;
  const repository = names.find((name) => name.endsWith('Repository'));
  if (repository) return `is a controller and imports ${repository}`;
  if (DATABASE_PACKAGES.has(specifier)) return `is a controller and imports ${specifier}`;
  const door =
    target?.startsWith('src/platform/database/') &&
    names.find((name) => name === 'Database' || name === 'UnitOfWork');
  return door ? `is a controller and imports ${door}` : undefined;
}
