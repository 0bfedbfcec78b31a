import { enableCompileCache, flushCompileCache } from 'node:module';
import { join } from 'node:path';

// To be imported first: what is loaded afterwards is compiled once per build and not at each start. Kept beside the built code, where
// only who may change that code can write; where nobody can, as in the image, nothing is kept.
enableCompileCache(join(import.meta.dirname, '../../.compile-cache'));

/** Writes what has been compiled, for the next start; at once, because a process need not come to its end. */
export function keepCompiled(): void {
  flushCompileCache();
}
