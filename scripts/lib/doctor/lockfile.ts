/** What matters here of package-lock.json, and of the copy that npm keeps in node_modules. */
export interface Lockfile {
  packages: Record<string, { version?: string; optional?: boolean; devOptional?: boolean; link?: boolean }>;
}

/** Packages that are missing or have another version than the lockfile says, in words. Optional ones may be missing. */
export function driftOf(wanted: Lockfile, installed: Lockfile): string[] {
  return Object.entries(wanted.packages).flatMap(([path, { version, optional, devOptional }]) => {
    if (path === '') return [];
    const name = path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length);
    const found = installed.packages[path];
    if (!found) return optional || devOptional ? [] : [`${name}, which is missing`];
    return found.version === version ? [] : [`${name} ${found.version}, not ${version}`];
  });
}
