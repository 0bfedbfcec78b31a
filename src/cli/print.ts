/** One line on standard output: what a command answers, as opposed to what it logs. */
export function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

/** One line on standard error: how far a command is, which is not part of its answer. */
export function report(line: string): void {
  process.stderr.write(`${line}\n`);
}
