import { endEverythingGuarded } from '../../local/servers/guard.ts';

/**
 * Nothing outlives the run: servers and product processes have their own sessions, so Ctrl-C alone would not reach them.
 * @param cleanUp what else has to be taken back
 */
export function endOnSignals(cleanUp?: () => Promise<void>): void {
  let ending = false;
  for (const [signal, code] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
    ['SIGHUP', 129],
  ] as const) {
    process.on(signal, () => {
      if (ending) return;
      ending = true;
      process.stderr.write('\nInterrupted; stopping all processes.\n');
      void Promise.allSettled([endEverythingGuarded(), cleanUp?.()]).finally(() => process.exit(code));
    });
  }
}
