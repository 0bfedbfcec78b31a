import { join } from 'node:path';
import ts from 'typescript';
import type { Manifest } from '../../../scripts/lib/manifests/kustomization.js';
import { idOf } from './cluster.js';

/** The packages that have the types of an API group, generated from its OpenAPI schema or its CRDs. */
const PACKAGES: Record<string, string> = {
  'argoproj.io': '@kubernetes-models/argo-rollouts/argoproj.io',
  'external-secrets.io': '@kubernetes-models/external-secrets/external-secrets.io',
  'gateway.networking.k8s.io': '@kubernetes-models/gateway-api/gateway.networking.k8s.io',
  'keda.sh': '@kubernetes-models/keda/keda.sh',
  'monitoring.coreos.com': '@kubernetes-models/prometheus-operator/monitoring.coreos.com',
};

const FILE = '/manifests.ts';

/**
 * Checks manifests against the types of Kubernetes, strictly: as literals, because TypeScript refuses unknown members of those alone.
 * (The `validate()` of the same packages lets unknown members pass.)
 */
export function typeProblems(manifests: Manifest[], root: string): string[] {
  const lines: string[] = [];
  const owners: string[] = [];
  for (const manifest of manifests) {
    const text = JSON.stringify(manifest, null, 1).split('\n');
    lines.push(`{ const checked: ${typeOf(manifest)} = ${text[0]}`, ...text.slice(1), '; void checked }');
    owners.push(...Array.from({ length: text.length + 1 }, () => idOf(manifest)));
  }
  const program = programOf(lines.join('\n'), root);
  return ts.getPreEmitDiagnostics(program).map(({ file, start = 0, messageText }) => {
    const text = ts.flattenDiagnosticMessageText(messageText, ' ');
    const line = file?.fileName === FILE ? file.getLineAndCharacterOfPosition(start).line : undefined;
    return line === undefined ? text : `${owners[line]}: ${lines[line]?.trim()} ${text}`;
  });
}

function typeOf({ apiVersion, kind }: Manifest): string {
  const [group, version = ''] = apiVersion.includes('/') ? apiVersion.split('/') : ['', apiVersion];
  const folder = group === '' ? 'kubernetes-models' : (PACKAGES[group ?? ''] ?? `kubernetes-models/${group}`);
  return `import('${folder}/${version}').I${kind}`;
}

/** One file that exists in memory only, as if it stood in the root of the repository. */
function programOf(text: string, root: string): ts.Program {
  const options: ts.CompilerOptions = {
    module: ts.ModuleKind.NodeNext,
    moduleResolution: ts.ModuleResolutionKind.NodeNext,
    target: ts.ScriptTarget.ES2023,
    strict: true,
    skipLibCheck: true,
    noEmit: true,
    types: [],
  };
  const host = ts.createCompilerHost(options);
  const fileExists = host.fileExists.bind(host);
  const getSourceFile = host.getSourceFile.bind(host);
  host.fileExists = (name) => name === FILE || fileExists(name);
  host.getSourceFile = (name, ...rest) =>
    name === FILE
      ? ts.createSourceFile(name, text, {
          languageVersion: ts.ScriptTarget.ES2023,
          impliedNodeFormat: ts.ModuleKind.ESNext,
        })
      : getSourceFile(name, ...rest);
  host.resolveModuleNameLiterals = (literals, containing, redirected, moduleOptions) =>
    literals.map(({ text: name }) =>
      ts.resolveModuleName(
        name,
        containing === FILE ? join(root, 'manifests.ts') : containing,
        moduleOptions,
        host,
        undefined,
        redirected,
        ts.ModuleKind.ESNext,
      ),
    );
  return ts.createProgram([FILE], options, host);
}
