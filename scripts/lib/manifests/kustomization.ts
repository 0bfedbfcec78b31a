import { createHash } from 'node:crypto';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { parseEnv } from 'node:util';
import { parse, parseAllDocuments } from 'yaml';
import { merged } from './strategic-merge.ts';

/** An object for the API server of Kubernetes. */
export interface Manifest {
  apiVersion: string;
  kind: string;
  metadata: { name: string; namespace?: string; labels?: Record<string, string> };
  [field: string]: unknown;
}

interface Generator {
  name: string;
  behavior?: 'merge';
  envs?: string[];
  literals?: string[];
  options?: { disableNameSuffixHash?: boolean };
}

interface Patch {
  path?: string;
  patch?: string;
  target?: { kind?: string; name?: string };
  options?: { allowNameChange?: boolean };
}

interface Image {
  name: string;
  newName?: string;
  newTag?: string;
  digest?: string;
}

/** The part of a kustomization that this builder knows. */
interface Kustomization {
  resources?: string[];
  components?: string[];
  configMapGenerator?: Generator[];
  secretGenerator?: Generator[];
  namespace?: string;
  images?: Image[];
  patches?: Patch[];
}

const KNOWN = [
  ...['apiVersion', 'kind', 'resources', 'components', 'configMapGenerator', 'secretGenerator'],
  ...['namespace', 'images', 'patches'],
];

/** Something that kustomize would not build, or builds in a way that is not known here. */
export class ManifestFailure extends Error {}

/** A manifest while it is being built. */
interface Draft {
  manifest: Manifest;
  /** Its name ends in a hash of its content. */
  hashed?: boolean;
}

/**
 * What `kubectl kustomize` prints for a folder, for the fields above: no package of npm builds kustomizations, and kubectl is not
 * everywhere (docs/decisions/0016). Strict: a field that it does not know is a failure.
 * @param folder absolute path of the kustomization
 * @param components absolute paths of components to add to it
 */
export function buildManifests(folder: string, components: string[] = []): Manifest[] {
  const drafts = accumulated(folder, [], components);
  for (const draft of drafts.filter(({ hashed }) => hashed)) {
    const { kind, metadata } = draft.manifest;
    const name = `${metadata.name}-${contentHash(draft.manifest)}`;
    for (const { manifest } of drafts) refer(manifest, kind, metadata.name, name);
    metadata.name = name;
  }
  return drafts.map(({ manifest }) => manifest);
}

function accumulated(folder: string, before: Draft[], more: string[] = []): Draft[] {
  const file = join(folder, 'kustomization.yaml');
  if (!existsSync(file)) throw new ManifestFailure(`${file} does not exist`);
  const own = parse(readFileSync(file, 'utf8')) as Kustomization;
  const unknown = Object.keys(own).filter((field) => !KNOWN.includes(field));
  if (unknown.length > 0)
    throw new ManifestFailure(
      `${file}: ${unknown.join(', ')} is not built here; known are ${KNOWN.join(', ')}`,
    );
  let drafts = [...before];
  for (const path of own.resources ?? []) drafts = joined(drafts, resource(folder, path), file);
  for (const generator of own.configMapGenerator ?? []) generate(drafts, 'ConfigMap', generator, folder);
  for (const generator of own.secretGenerator ?? []) generate(drafts, 'Secret', generator, folder);
  for (const path of [...(own.components ?? []).map((name) => join(folder, name)), ...more])
    drafts = accumulated(path, drafts);
  for (const patch of own.patches ?? []) drafts = patched(drafts, patch, folder);
  if (own.namespace !== undefined) for (const { manifest } of drafts) place(manifest, own.namespace);
  for (const image of own.images ?? []) for (const { manifest } of drafts) useImage(manifest, image);
  return drafts;
}

function resource(folder: string, path: string): Draft[] {
  const at = join(folder, path);
  if (!existsSync(at))
    throw new ManifestFailure(`${join(folder, 'kustomization.yaml')}: there is no ${path}`);
  return statSync(at).isDirectory()
    ? accumulated(at, [])
    : readManifests(at).map((manifest) => ({ manifest }));
}

function readManifests(file: string): Manifest[] {
  return manifestsIn(readFileSync(file, 'utf8'), file);
}

/** The documents of a file. YAML 1.1, because that is how Kubernetes reads it: there 0440 is octal and `on` is true. */
export function manifestsIn(text: string, file: string): Manifest[] {
  const documents = parseAllDocuments(text, { version: '1.1' });
  return documents.flatMap((document) => {
    const [error] = [...document.errors, ...document.warnings];
    if (error) throw new ManifestFailure(`${file}: ${error.message}`);
    const manifest = document.toJS() as Manifest | null;
    if (manifest === null) return [];
    if (!manifest.kind || !manifest.metadata?.name)
      throw new ManifestFailure(`${file}: a document has no kind or no name`);
    return [manifest];
  });
}

function joined(drafts: Draft[], added: Draft[], file: string): Draft[] {
  for (const { manifest } of added)
    if (find(drafts, manifest.kind, manifest.metadata.name))
      throw new ManifestFailure(`${file}: there are two of ${manifest.kind} ${manifest.metadata.name}`);
  return [...drafts, ...added];
}

function find(drafts: Draft[], kind: string, name: string): Draft | undefined {
  return drafts.find(({ manifest }) => manifest.kind === kind && manifest.metadata.name === name);
}

function generate(drafts: Draft[], kind: 'ConfigMap' | 'Secret', generator: Generator, folder: string): void {
  const { name, behavior, envs = [], literals = [], options } = generator;
  const texts = [...envs.map((path) => readFileSync(join(folder, path), 'utf8')), literals.join('\n')];
  const values = Object.assign({}, ...texts.map((text) => parseEnv(text))) as Record<string, string>;
  const data =
    kind === 'Secret'
      ? Object.fromEntries(Object.entries(values).map(([key, text]) => [key, btoa(text)]))
      : values;
  const hashed = options?.disableNameSuffixHash !== true;
  if (kind === 'Secret' && hashed)
    throw new ManifestFailure(`${folder}: the Secret ${name} needs options.disableNameSuffixHash: true here`);
  const old = find(drafts, kind, name);
  if ((old !== undefined) !== (behavior === 'merge'))
    throw new ManifestFailure(
      `${folder}: the ${kind} ${name} ${old ? 'exists; say behavior: merge' : 'is not there to be merged'}`,
    );
  if (old) Object.assign(old.manifest.data as object, data);
  else
    drafts.push({
      manifest: {
        apiVersion: 'v1',
        kind,
        metadata: { name },
        ...(kind === 'Secret' ? { type: 'Opaque' } : {}),
        data,
      },
      hashed,
    });
}

function patched(drafts: Draft[], { path, patch = '', target, options }: Patch, folder: string): Draft[] {
  const where = path === undefined ? `a patch of ${folder}` : join(folder, path);
  const patches = path === undefined ? manifestsIn(patch, where) : readManifests(where);
  let left = drafts;
  for (const change of patches) {
    const kind = target?.kind ?? change.kind;
    const name = target?.name ?? change.metadata.name;
    const draft = find(left, kind, name);
    if (!draft) throw new ManifestFailure(`${where}: there is no ${kind} ${name} to be patched`);
    const result = merged(draft.manifest, change) as Manifest | undefined;
    if (result && !options?.allowNameChange) result.metadata.name = name;
    left = left.flatMap((other) => {
      if (other !== draft) return [other];
      return result ? [{ ...other, manifest: result }] : [];
    });
  }
  return left;
}

/** Kinds that belong to no namespace. */
const CLUSTER_WIDE = ['ClusterRole', 'ClusterRoleBinding', 'PriorityClass', 'StorageClass'];

function place(manifest: Manifest, namespace: string): void {
  if (manifest.kind === 'Namespace') manifest.metadata.name = namespace;
  else if (!CLUSTER_WIDE.includes(manifest.kind)) manifest.metadata.namespace = namespace;
}

function useImage(manifest: Manifest, { name, newName, newTag, digest }: Image): void {
  walk(manifest, (node) => {
    const image = node.image;
    if (typeof image !== 'string' || image.replace(/[:@][^/]*$/, '') !== name) return;
    const version = digest ? `@${digest}` : newTag ? `:${newTag}` : image.slice(name.length);
    node.image = `${newName ?? name}${version}`;
  });
}

/** The fields of a pod that name a ConfigMap or a Secret. */
const REFERENCES: Record<string, [string, string][]> = {
  ConfigMap: [
    ['configMapRef', 'name'],
    ['configMapKeyRef', 'name'],
    ['configMap', 'name'],
  ],
  Secret: [
    ['secretRef', 'name'],
    ['secretKeyRef', 'name'],
    ['secret', 'secretName'],
  ],
};

function refer(manifest: Manifest, kind: string, from: string, to: string): void {
  walk(manifest, (node) => {
    for (const [reference, field] of REFERENCES[kind] ?? []) {
      const value = node[reference] as Record<string, unknown> | undefined;
      if (typeof value === 'object' && value?.[field] === from) value[field] = to;
    }
  });
}

function walk(value: unknown, visit: (node: Record<string, unknown>) => void): void {
  if (typeof value !== 'object' || value === null) return;
  if (!Array.isArray(value)) visit(value as Record<string, unknown>);
  for (const inner of Object.values(value)) walk(inner, visit);
}

/** As kustomize makes it: ten digits of SHA-256 of the content (not of the name), in letters that make no words. */
function contentHash({ kind, data }: Manifest): string {
  const sorted = Object.entries(data as object).toSorted(([a], [b]) => (a < b ? -1 : 1));
  // As Go writes JSON: with the characters of HTML escaped.
  const json = JSON.stringify({ data: Object.fromEntries(sorted), kind, name: '' }).replaceAll(
    /[<>&\u2028\u2029]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
  const letters: Record<string, string> = { 0: 'g', 1: 'h', 3: 'k', a: 'm', e: 't' };
  const hex = createHash('sha256').update(json).digest('hex').slice(0, 10);
  return hex.replaceAll(/[013ae]/g, (digit) => letters[digit] ?? digit);
}
