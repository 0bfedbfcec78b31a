/**
 * Marks in texts that a fork does not keep as they are. They are comments of the file's own language, so nothing shows them:
 *
 *   <!-- only: orders, payments -->     in Markdown; `# only: …` in YAML; `// only: …` in TypeScript
 *   … what makes sense while all of these features are there …
 *   <!-- end -->
 *
 * `only: starter` is for what makes sense before a fork. At the end of a line, as in a table, the mark is about that line alone.
 * `<!-- fork: text -->` holds text for forks alone; it may have several lines. `{description}` in it is that of the fork.
 */
export const BEFORE_THE_FORK = 'starter';

const OPEN = /(?:<!--|#|\/\/) only: ([\w, -]+?) ?(?:-->)?$/;
const IN_A_ROW = /<!-- only: ([\w, -]+?) -->/;
const CLOSE = /^\s*(?:<!--|#|\/\/) end(?: -->)?$/;
const FOR_FORKS = /^<!-- fork:\s*(.*?)\s*-->\n/gms;

/** A text whose marks make no sense. */
export class MarkFailure extends Error {}

/**
 * Takes out of a text what is about features that are gone.
 * @param gone names of features, and BEFORE_THE_FORK
 * @throws MarkFailure for a mark that is not closed, or closed twice
 */
export function withoutMarked(
  path: string,
  text: string,
  gone: ReadonlySet<string>,
  description = '',
): string {
  const kept: string[] = [];
  let open: { line: number; drops: boolean } | undefined;
  for (const [i, line] of text.split('\n').entries()) {
    const [, names, alone] = opening(line) ?? [];
    if (names !== undefined && alone) {
      if (open) throw new MarkFailure(`${path}:${i + 1}: the mark of line ${open.line} is still open`);
      open = { line: i + 1, drops: isGone(names, gone) };
      if (!open.drops) kept.push(line);
    } else if (CLOSE.test(line)) {
      if (!open) throw new MarkFailure(`${path}:${i + 1}: no mark is open here`);
      if (!open.drops) kept.push(line);
      open = undefined;
    } else if (!open?.drops && !(names !== undefined && isGone(names, gone))) {
      kept.push(line);
    }
  }
  if (open) throw new MarkFailure(`${path}:${open.line}: this mark is never closed`);
  const left = kept.join('\n');
  const forked = gone.has(BEFORE_THE_FORK)
    ? left.replaceAll(FOR_FORKS, (_, own: string) => `${own.replaceAll('{description}', description)}\n`)
    : left;
  return forked === text ? text : forked.replaceAll(/\n{3,}/g, '\n\n');
}

function opening(line: string): [string, string, boolean] | undefined {
  const block = OPEN.exec(line);
  if (block) return [line, block[1]!, line.slice(0, block.index).trim() === ''];
  const row = IN_A_ROW.exec(line);
  return row ? [line, row[1]!, false] : undefined;
}

function isGone(names: string, gone: ReadonlySet<string>): boolean {
  return names.split(',').some((name) => gone.has(name.trim()));
}
