import { existsSync, readFileSync } from 'node:fs';
import { rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { parseLine, type Environment, type LogRecord } from '../../../local/processes.ts';
import type { TestStack } from '../../../local/stack.ts';
import type { ProcessName, RigProcess } from '../rig.ts';

/** Loaded into each process of the product before its own code. */
const CLOCK = pathToFileURL(join(import.meta.dirname, 'clock.mjs')).href;
export const START_WITHIN_MS = 180_000;
/** Far more than its own `SHUTDOWN_TIMEOUT_MS`. */
const STOP_WITHIN_MS = 90_000;
/** Between two attempts to start what ended while it started. */
const START_AGAIN_AFTER_MS = 500;

export interface Surroundings {
  stack: TestStack;
  /** Holds the logs and the clocks. */
  directory: string;
  /** The builds that it may run from: its own, and that of a rollout. */
  builds: { own: string; other: string };
  /** Whether a fault is the only one in progress, and how many have begun. */
  faults: { active: number; begun: number };
  onUnexpectedEnd: (what: string) => void;
}

/**
 * Starts a process as faults see it. Like under an orchestrator, it is started again when it ends by itself; that is noted.
 * @param env its addresses
 */
export async function startProcess(
  name: ProcessName,
  env: Environment,
  { stack, directory, builds, faults, onUnexpectedEnd }: Surroundings,
): Promise<RigProcess> {
  const clock = join(directory, `${name}.clock`);
  const note = (what: string): void => onUnexpectedEnd(`${name}: ${what.slice(0, 500)}`);
  const options = {
    logFile: logFileOf(directory, name),
    // A process that starts while PostgreSQL is down is not ready before that is back.
    until: 'live' as const,
    // On a machine that gave it a few per cent of a core a start took more than a minute: ending it then proves nothing.
    within: START_WITHIN_MS,
    stopWithinMs: STOP_WITHIN_MS,
    onUnexpectedExit: (reason: string) => {
      note(`${reason}${lastWords(directory, name)}`);
      void watched.startAgain();
    },
  };
  const complete = { ...env, NEMESIS_CLOCK: clock, NODE_OPTIONS: `--import=${CLOCK}` };
  const app = await (name.startsWith('api') ? stack.api(complete, options) : stack.worker(complete, options));
  // Its methods, which are replaced below.
  const plain = { ...app };
  let down: 'frozen' | 'ending' | 'starting' | undefined;
  let starting: Promise<void> | undefined;
  let gone = false;

  /** Until its startup probe succeeds, an orchestrator does not ask whether it is live: loading its code keeps it busy. */
  const untilUp = async (pid: number): Promise<void> => {
    down = 'starting';
    while (down === 'starting' && app.isRunning && app.pid === pid) {
      const answer = await app.management.get('/health/startup', { timeoutMs: 5_000 }).catch(() => undefined);
      if (answer?.status === 200 && down === 'starting') down = undefined;
      else await delay(100);
    }
  };
  void untilUp(app.pid);

  const untilStarted = async (more: Environment | undefined, dist: string | undefined): Promise<void> => {
    while (!app.isRunning && !gone) {
      try {
        await plain.startAgain(more, { dist });
        void untilUp(app.pid);
      } catch (error) {
        if (gone) return;
        note((error as Error).message);
        await delay(START_AGAIN_AFTER_MS);
      }
    }
  };
  const watched: RigProcess = Object.assign(app, {
    name,
    isDown: false,
    freeze: () => {
      plain.freeze();
      down = 'frozen';
    },
    thaw: () => {
      plain.thaw();
      if (down === 'frozen') void untilUp(app.pid);
    },
    signal: (which: NodeJS.Signals) => {
      down = 'ending';
      plain.signal(which);
    },
    kill: () => {
      down = 'ending';
      return plain.kill();
    },
    stop: async (which: NodeJS.Signals = 'SIGTERM') => {
      down = 'ending';
      const { active, begun } = faults;
      const exit = await plain.stop(which);
      const undisturbed = active <= 1 && faults.begun === begun;
      if (exit.signal !== null && exit.signal !== which) note(`it did not end after ${which}`);
      else if (exit.code !== 0 && undisturbed) note(`exit code ${exit.code} after ${which}`);
      return exit;
    },
    startAgain: (more?: Environment, { other }: { other?: boolean } = {}) => {
      const dist = other === undefined ? undefined : builds[other ? 'other' : 'own'];
      starting ??= untilStarted(more, dist).finally(() => (starting = undefined));
      return starting;
    },
    setClock: async (offsetMs: number) => {
      await writeFile(`${clock}.new`, String(offsetMs));
      await rename(`${clock}.new`, clock);
      // It looks ten times a second.
      await delay(200);
    },
    abandon: async () => {
      gone = true;
      await plain.kill();
    },
  });
  Object.defineProperty(watched, 'isDown', { get: () => down !== undefined });
  return watched;
}

function logFileOf(directory: string, name: ProcessName): string {
  return join(directory, `${name}.log`);
}

/** What its log says about its end: the log is gone with the rig. */
function lastWords(directory: string, name: ProcessName): string {
  let words = '';
  eachLogLine(directory, [name], (_, line) => {
    const { level, message, err } = parseLine(line);
    if (level === 'fatal') words = `: ${message} (${(err as Error | undefined)?.message})`;
  });
  return words;
}

export function eachLogLine(
  directory: string,
  names: Iterable<ProcessName>,
  see: (process: ProcessName, line: string) => void,
): void {
  for (const name of names) {
    const file = logFileOf(directory, name);
    if (!existsSync(file)) continue;
    for (const line of readFileSync(file, 'utf8').split('\n')) if (line !== '') see(name, line);
  }
}

/** Lines that contain `text`, oldest first. */
export function logLines(
  directory: string,
  names: Iterable<ProcessName>,
  text: string,
): (LogRecord & { process: ProcessName })[] {
  const found: (LogRecord & { process: ProcessName })[] = [];
  eachLogLine(directory, names, (process, line) => {
    if (line.includes(text)) found.push({ ...parseLine(line), process });
  });
  return found.sort((a, b) => String(a.time).localeCompare(String(b.time)));
}
