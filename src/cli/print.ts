/** One line on standard output: what a command answers, as opposed to what it logs. */
export function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
