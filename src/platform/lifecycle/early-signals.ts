// No imports but Node's own, and itself the first and only static import of every entry: all others are loaded after it, by `import()`.
import { constants } from 'node:os';

/**
 * Ends the process at once, because nothing has begun. The first process of a container (PID 1) ignores every signal without a
 * handler (pid_namespaces(7)): otherwise a SIGTERM during the second of loading and connecting would be lost, and the container
 * killed at the end of its grace period.
 */
const leave = (signal: NodeJS.Signals): void => process.exit(128 + constants.signals[signal]);

process.on('SIGTERM', leave);
process.on('SIGINT', leave);

/** From here on other handlers handle these signals; call it right after they are installed. */
export function handOverSignals(): void {
  process.off('SIGTERM', leave);
  process.off('SIGINT', leave);
}
