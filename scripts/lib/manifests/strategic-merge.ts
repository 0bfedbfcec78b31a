/** The members of these lists are told apart by a field, as in the schema of Kubernetes; other lists are replaced as a whole. */
const KEYS: Record<string, string> = {
  containers: 'name',
  initContainers: 'name',
  env: 'name',
  volumes: 'name',
  volumeMounts: 'mountPath',
  topologySpreadConstraints: 'topologyKey',
};

type Node = Record<string, unknown>;

/**
 * A manifest with a patch applied, as kustomize and `kubectl patch` do it (strategic merge). `null` removes a field, and
 * `$patch: delete` what it stands in.
 * @returns undefined when nothing is left
 */
export function merged(target: unknown, patch: unknown): unknown {
  if (!isNode(patch)) return patch;
  if (patch.$patch === 'delete') return undefined;
  const result: Node = isNode(target) ? { ...target } : {};
  for (const [field, change] of Object.entries(patch)) {
    const value = Array.isArray(change)
      ? mergedList(field, result[field], change)
      : merged(result[field], change);
    if (value === undefined || value === null) delete result[field];
    else result[field] = value;
  }
  return result;
}

/** New members come first, as kustomize has it. */
function mergedList(field: string, target: unknown, changes: unknown[]): unknown[] {
  const key = KEYS[field];
  if (key === undefined || !Array.isArray(target)) return changes;
  const idOf = (member: unknown): unknown => (isNode(member) ? member[key] : undefined);
  const known = new Set(target.map(idOf));
  return [
    ...changes.filter((change) => !known.has(idOf(change))),
    ...target.flatMap((member: unknown) => {
      const change = changes.find((candidate) => idOf(candidate) === idOf(member));
      const result = change === undefined ? member : merged(member, change);
      return result === undefined ? [] : [result];
    }),
  ];
}

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
