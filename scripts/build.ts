/** `npm run build`: compiles src/ and migrations/ into dist/. With --if-stale only when something has changed. */
import { build, BuildError } from './lib/build.ts';

try {
  await build({ onlyIfStale: process.argv.includes('--if-stale') });
} catch (error) {
  if (!(error instanceof BuildError)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}
