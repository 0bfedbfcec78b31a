/**
 * `npm run doctor`: one screen that tells whether this checkout can work here, and what to do about each line that is wrong. Changes
 * nothing. Exit code 1 when something is wrong, 0 with mere warnings.
 */
import { availableChecks } from './lib/doctor/checks.ts';
import { say, styled } from './lib/terminal.ts';

const MARKS = { ok: styled('green', '✓'), warning: styled('yellow', '!'), wrong: styled('red', '✗') };

let wrong = 0;
for (const { label, check } of availableChecks) {
  const { state, detail, remedy } = await check().catch((error: unknown) => ({
    state: 'wrong' as const,
    detail: error instanceof Error ? error.message : String(error),
    remedy: undefined,
  }));
  if (state === 'wrong') wrong += 1;
  say(`${MARKS[state]} ${label.padEnd(13)} ${detail}`);
  if (remedy) say(`  ${''.padEnd(13)} ${styled('bold', remedy)}`);
}
say(wrong === 0 ? styled('dim', 'Ready.') : styled('red', `${wrong} to mend.`));
process.exitCode = wrong === 0 ? 0 : 1;
