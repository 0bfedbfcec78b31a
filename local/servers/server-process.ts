import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { closeSync, openSync, readFileSync, statSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { guardProcess, releaseProcess } from './guard.ts';
import type { PrivateDirectory } from './private-directory.ts';
import { endTree, signalTree } from './process-tree.ts';

export interface ServerSpec {
  /** Its name, for messages. */
  name: string;
  command: string;
  args: string[];
  env?: NodeJS.ProcessEnv;
  cwd?: string;
  uid?: number;
  gid?: number;
  /** Resolves when the server answers; polled until it does. */
  isReady: () => Promise<boolean>;
  readyWithinMs?: number;
  /** The signal for an orderly shutdown, and how long that may take before SIGKILL. */
  stopSignal?: NodeJS.Signals;
  stopWithinMs?: number;
  /** How the guard ends it when this process has died. Default SIGKILL: its data are not needed any more. */
  orphanSignal?: NodeJS.Signals;
  /** File that gets its output (appended), for servers that write so much that reading it would keep the starter busy. */
  outputFile?: string;
  /** Every line the server prints, on either stream; none with `outputFile`. */
  onLine?: (line: string) => void;
  /** Called when the server ends without having been told to. */
  onUnexpectedExit?: (reason: string) => void;
}

export interface Exit {
  code: number | null;
  signal: NodeJS.Signals | null;
}

/** The controls of every server started here; `freeze` and `kill` are the faults of the fault tests. */
export interface ServerControl {
  readonly pid: number;
  /** Shuts it down in order and waits until it is gone. */
  stop(): Promise<void>;
  /** SIGSTOP to the whole process tree: connections stay open, nothing answers. */
  freeze(): void;
  thaw(): void;
  /** SIGKILL to the whole process tree; resolves when it is gone. */
  kill(): Promise<void>;
  /** Starts it again with the same settings on the same port; ends it first when it runs. */
  restart(): Promise<void>;
}

/**
 * One server as a child process in its own session, so that Ctrl-C in a terminal does not end it. Only its owner ends it, or the
 * guard, if the owner dies.
 */
export class ServerProcess {
  private readonly spec: ServerSpec;
  private child: ChildProcess | undefined;
  private ending = false;
  private readonly recentLines: string[] = [];
  /** How the current incarnation ended. By then every line of it has been read, and every child that shares its output is gone. */
  exited: Promise<Exit> = Promise.resolve({ code: null, signal: null });

  constructor(spec: ServerSpec) {
    this.spec = spec;
  }

  get pid(): number {
    if (!this.child?.pid) throw new Error(`${this.spec.name} is not running`);
    return this.child.pid;
  }

  get isRunning(): boolean {
    return this.child !== undefined;
  }

  async start(): Promise<void> {
    const { spec } = this;
    this.ending = false;
    this.recentLines.length = 0;
    const output = spec.outputFile === undefined ? undefined : openSync(spec.outputFile, 'a');
    const child = spawn(spec.command, spec.args, {
      detached: true,
      stdio: ['ignore', output ?? 'pipe', output ?? 'pipe'],
      env: spec.env ?? { PATH: process.env.PATH },
      cwd: spec.cwd,
      uid: spec.uid,
      gid: spec.gid,
    });
    if (output !== undefined) closeSync(output);
    this.child = child;
    let failure: Error | undefined;
    this.exited = new Promise((resolve) => {
      child.once('error', (error) => {
        failure = error;
        this.child = undefined;
        resolve({ code: null, signal: null });
      });
      child.once('exit', (code, signal) => {
        if (child.pid) releaseProcess(child.pid);
        const isUnexpected = ready && !this.ending;
        this.child = undefined;
        child.once('close', () => {
          resolve({ code, signal });
          if (isUnexpected) spec.onUnexpectedExit?.(this.describeEnd(code, signal));
        });
      });
    });
    let ready = false;
    if (child.pid) {
      guardProcess({
        pid: child.pid,
        signal: spec.orphanSignal ?? 'SIGKILL',
        withinMs: spec.stopWithinMs ?? 10_000,
      });
    }
    for (const stream of [child.stdout, child.stderr]) {
      if (stream) createInterface({ input: stream }).on('line', (line) => this.keep(line));
    }

    const deadline = Date.now() + (spec.readyWithinMs ?? 30_000);
    for (;;) {
      if (this.child !== child) {
        const end = await this.exited;
        if (failure) throw new Error(`${spec.name} could not be started: ${failure.message}`);
        throw new Error(`${spec.name} ended while starting: ${this.describeEnd(end.code, end.signal)}`);
      }
      if (await spec.isReady()) break;
      if (Date.now() > deadline) {
        await this.kill();
        throw new Error(`${spec.name} was not ready in time: ${this.tail(5).join(' | ')}`);
      }
      await delay(25);
    }
    ready = true;
  }

  async stop(signal: NodeJS.Signals = this.spec.stopSignal ?? 'SIGTERM'): Promise<Exit> {
    const { child } = this;
    if (!child?.pid) return this.exited;
    this.ending = true;
    await endTree(child.pid, signal, this.spec.stopWithinMs ?? 10_000);
    return this.exited;
  }

  /** Sends a signal to the process alone and marks its end as expected. */
  signal(signal: NodeJS.Signals): void {
    this.ending = true;
    process.kill(this.pid, signal);
  }

  freeze(): void {
    signalTree(this.pid, 'SIGSTOP');
  }

  thaw(): void {
    signalTree(this.pid, 'SIGCONT');
  }

  async kill(): Promise<Exit> {
    const { child } = this;
    if (!child?.pid) return this.exited;
    this.ending = true;
    signalTree(child.pid, 'SIGKILL');
    return this.exited;
  }

  async restart(): Promise<void> {
    await this.stop();
    await this.start();
  }

  /** The last lines the server printed. */
  tail(lines = 20): string[] {
    const { outputFile } = this.spec;
    // A device such as /dev/full has no end.
    if (outputFile && !statSync(outputFile).isFile()) return [];
    const said = outputFile ? readFileSync(outputFile, 'utf8').trimEnd().split('\n') : this.recentLines;
    return said.slice(-lines);
  }

  private keep(line: string): void {
    this.recentLines.push(line);
    if (this.recentLines.length > 200) this.recentLines.shift();
    this.spec.onLine?.(line);
  }

  private describeEnd(code: number | null, signal: NodeJS.Signals | null): string {
    const how = signal ? `ended by ${signal}` : `exit code ${code}`;
    // A structured log is more useful by itself than inside a sentence.
    const words = this.recentLines.filter((line) => line !== '' && !line.startsWith('{'));
    const said = words.slice(-5).join(' | ');
    return said ? `${how}; it said: ${said}` : how;
  }
}

/**
 * Starts a server.
 * @param owns `directory` is removed when the server is stopped, or does not start; `discardBy`: its data are not needed, so
 * `stop` ends it at once by this signal; `cleanUp` runs after that end
 */
export async function startServer(
  spec: ServerSpec,
  {
    directory,
    discardBy,
    cleanUp,
  }: { directory?: PrivateDirectory; discardBy?: NodeJS.Signals; cleanUp?: () => Promise<void> } = {},
): Promise<ServerControl> {
  const server = new ServerProcess(spec);
  try {
    await server.start();
  } catch (error) {
    await directory?.remove();
    throw error;
  }
  return {
    get pid() {
      return server.pid;
    },
    stop: async () => {
      // SIGKILL goes to its children too, which it cannot end itself.
      await (discardBy === 'SIGKILL' ? server.kill() : server.stop(discardBy));
      await cleanUp?.();
      await directory?.remove();
    },
    freeze: () => server.freeze(),
    thaw: () => server.thaw(),
    kill: async () => {
      await server.kill();
    },
    restart: () => server.restart(),
  };
}
