// Adds up the JSON reports of the test runs. Plain JavaScript: it also has to run when `npm ci` has failed.
// Usage: node count.mjs FOLDER STATUS; exits with STATUS, or with 1 when a test failed or none ran.
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

const [folder, status] = [process.argv[2], Number(process.argv[3])];
let passed = 0;
let failed = 0;
let skipped = 0;
const files = existsSync(folder) ? readdirSync(folder).filter((name) => name.endsWith('.json')) : [];
for (const name of files) {
  const report = JSON.parse(readFileSync(join(folder, name), 'utf8'));
  passed += report.numPassedTests;
  failed += report.numFailedTests;
  skipped += report.numPendingTests + report.numTodoTests;
  // A file that could not even be loaded has no tests to count, and must not be lost.
  failed += report.testResults.filter(
    (file) => file.status === 'failed' && file.assertionResults.length === 0,
  ).length;
}
if (status !== 0) console.log(`\nA step failed with exit code ${status}.`);
console.log(`\n${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`);
process.exitCode = status || (failed > 0 || passed === 0 ? 1 : 0);
