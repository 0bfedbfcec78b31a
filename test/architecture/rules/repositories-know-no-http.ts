import type { Import, Rule } from '../project.js';

const HTTP_PACKAGES = new Set([
  'fastify',
  '@nestjs/platform-fastify',
  '@nestjs/swagger',
  'node:http',
  'node:https',
  'http',
  'https',
]);

/** A repository answers jobs and commands as well as requests: nothing in it speaks HTTP. */
export const repositoriesKnowNoHttp: Rule = {
  name: 'repositories-know-no-http',
  check: ({ sources }) =>
    sources
      .filter(({ path }) => path.endsWith('.repository.ts'))
      .flatMap(({ path, imports }) =>
        imports.flatMap((entry) => {
          const what = offence(entry);
          if (!what) return [];
          return {
            path,
            line: entry.line,
            what: `is a repository and imports ${what}`,
            remedy: 'Take and return plain values; the service or the controller speaks to the caller',
          };
        }),
      ),
};

function offence({ specifier, target, names }: Import): string | undefined {
  if (HTTP_PACKAGES.has(specifier)) return specifier;
  if (target?.startsWith('src/platform/http/') || target?.endsWith('.controller.ts')) return target;
  if (specifier !== '@nestjs/common') return undefined;
  const name = names.find((n) =>
    /Exception$|^(Controller|Get|Post|Put|Patch|Delete|Req|Res|Param|Query|Body|Headers|HttpStatus)$/.test(n),
  );
  return name && `${name} from @nestjs/common`;
}
