// No imports but Node's own, and itself the first and only static import of every entry: all others are loaded after it, by `import()`.
import { constants } from 'node:os';

/**
 * Ends the process at once, as nothing has begun. The first process of a container (PID 1) ignores every signal that it has no handler
 * for (pid_namespaces(7)): without this a SIGTERM during the second of loading and connecting is lost, and the container
 * is killed at the end of its grace period.
 */
const leave = (signal: NodeJS.Signals): void => process.exit(128 + constants.signals[signal]);

process.on('SIGTERM', leave);
process.on('SIGINT', leave);

/** From here on somebody else handles these signals; to be called right after they have their own handlers. */
export function handOverSignals(): void {
  process.off('SIGTERM', leave);
  process.off('SIGINT', leave);
}
