import { enableCompileCache } from 'node:module';
import { join } from 'node:path';

// Import it first: modules that are loaded afterwards are compiled once per build and not at each start. Kept beside the built
// code, where only users that may change that code can write; where no user can, as in the image, nothing is kept.
enableCompileCache(join(import.meta.dirname, '../../.compile-cache'));

/** Writes the compiled code for the next start; at once, because a process may be killed. */
export { flushCompileCache as keepCompiled } from 'node:module';
