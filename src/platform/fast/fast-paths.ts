import { FAST_PATHS, type FastPath } from '../../config/sections/fast.settings.js';

const off = new Set<FastPath>();

/** Whether this process uses an optimisation. */
export function isFast(path: FastPath): boolean {
  return !off.has(path);
}

/** Switches optimisations of this process off, and all others on. To be called before anything uses one. */
export function switchOff(paths: readonly FastPath[]): void {
  for (const path of FAST_PATHS) {
    if (paths.includes(path)) off.add(path);
    else off.delete(path);
  }
}
