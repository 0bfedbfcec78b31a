import { styleText } from 'node:util';

/** A failure that is told in its own words and nothing else: no stack, what went wrong and what to do. */
export class StartFailure extends Error {}

type Style = Parameters<typeof styleText>[0];

/** Coloured on a terminal, plain into a file or with NO_COLOR. */
export function styled(style: Style, text: string): string {
  return styleText(style, text, { stream: process.stdout });
}

export function say(line = ''): void {
  process.stdout.write(`${line}\n`);
}

export function sayFailure(message: string): void {
  process.stderr.write(`${styleText('red', '✗', { stream: process.stderr })} ${message}\n`);
}

/** Says what is being done when it begins to take time, and how long it took. */
export async function step<T>(
  label: string,
  work: () => Promise<T>,
  result?: (value: T) => string,
): Promise<T> {
  const started = Date.now();
  const announce = setTimeout(() => say(`${styled('dim', '…')} ${label}`), 400);
  const remind = setInterval(() => {
    say(styled('dim', `… ${label}: ${Math.round((Date.now() - started) / 1000)} s so far`));
  }, 10_000);
  try {
    const value = await work();
    const detail = result ? ` ${styled('dim', result(value))}` : '';
    const took = Date.now() - started;
    const time = took > 400 ? styled('dim', ` ${(took / 1000).toFixed(1)} s`) : '';
    say(`${styled('green', '✓')} ${label}${detail}${time}`);
    return value;
  } finally {
    clearTimeout(announce);
    clearInterval(remind);
  }
}
