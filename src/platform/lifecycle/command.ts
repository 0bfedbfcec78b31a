import { redactor, secretTexts, type Product, type Settings } from '../../config/index.js';
import { remedyFor } from './remedy.js';
import { settingsOrExit } from './settings.js';

/**
 * Runs a command that ends by itself: settings, work, exit code. It ends when all its output is written, however slowly the other
 * end of a pipe reads. A reader that closes early (`| head`) does not stop the work, and is no error.
 */
export async function runCommand(
  product: Product,
  work: (settings: Settings) => Promise<number>,
): Promise<void> {
  let outputLost = false;
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', ({ code }: NodeJS.ErrnoException) => {
      outputLost ||= code !== 'EPIPE';
    });
  }
  const settings = settingsOrExit(product);
  const redact = redactor(secretTexts(settings));
  const { promise: uncaught, reject } = Promise.withResolvers<never>();
  // Node itself would print all members of the error, such as the password of a rejected AUTH.
  process.on('uncaughtException', reject);
  process.on('unhandledRejection', reject);
  let code: number;
  try {
    code = await Promise.race([work(settings), uncaught]);
  } catch (error) {
    process.stderr.write(`${redact(remedyFor(error))}\n`);
    code = 1;
  }
  await Promise.all([process.stdout, process.stderr].map(written));
  // Not by exit code alone: connections that were open before it failed would keep the process alive.
  process.exit(code === 0 && outputLost ? 1 : code);
}

/** `process.exit` drops output that a pipe has not accepted yet: of 2,001 lines through `cat`, 1,233 arrived. */
function written(stream: NodeJS.WriteStream): Promise<void> {
  return new Promise((resolve) => {
    stream.write('', () => resolve());
  });
}
