import type { Aftermath, Evidence, Verdict } from '../invariant.ts';

export const statement = 'No log line holds a password, a token, a cookie, or a key of the settings';

/** Parts of a secret that are shorter may stand in any line. */
const LONG_ENOUGH = 12;
const REPORTED = 20;

export function check({
  final: { secrets },
  rig,
}: {
  final: { secrets: readonly string[] };
  rig: Pick<Aftermath['rig'], 'eachLogLine'>;
}): Verdict {
  // Word by word: one look-up for each word of a line, however many secrets there are.
  const words = new Set(secrets.flatMap(wordsOf));
  const violations: Evidence[] = [];
  let lines = 0;
  rig.eachLogLine((process, line) => {
    lines += 1;
    if (violations.length < REPORTED && wordsOf(line).some((word) => words.has(word)))
      violations.push({ what: `A line of ${process} holds a secret: ${line.slice(0, 500)}`, about: [] });
  });
  return { counted: `${lines} lines, ${secrets.length} secrets`, violations };
}

function wordsOf(text: string): string[] {
  return (text.match(/[\w-]+/g) ?? []).filter(({ length }) => length >= LONG_ENOUGH);
}
