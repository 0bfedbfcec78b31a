import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { isPortFree } from '../../local/servers/ports.ts';
import { localDirectory, repositoryRoot } from '../../local/servers/paths.ts';
import { StartFailure } from './terminal.ts';

export interface LocalPorts {
  api: number;
  management: number;
  workerManagement: number;
}

/**
 * Where the local stack keeps its data and logs: `.local`, or the folder in LOCAL_STACK_DIRECTORY, so that a second
 * stack can run from the same checkout.
 */
export function stackPath(...parts: string[]): string {
  return join(process.env.LOCAL_STACK_DIRECTORY || localDirectory, ...parts);
}

/** Variables from `.env`, where there is one, count as if they had been set; those that are set win. */
export function loadDotEnv(): void {
  const file = join(repositoryRoot, '.env');
  if (existsSync(file)) process.loadEnvFile(file);
}

/** True when the variable, or the file variant of a secret, has a value. */
export function isGiven(name: string): boolean {
  return Boolean(process.env[name]) || Boolean(process.env[`${name}_FILE`]);
}

/** The ports people use; each has to be a port, free, and different from the others. */
export async function localPorts(): Promise<LocalPorts> {
  const chosen = [
    { name: 'PORT', port: portFrom('PORT', 3000) },
    { name: 'MANAGEMENT_PORT', port: portFrom('MANAGEMENT_PORT', 3001) },
    { name: 'WORKER_MANAGEMENT_PORT', port: portFrom('WORKER_MANAGEMENT_PORT', 3002) },
  ];
  for (const [index, { name, port }] of chosen.entries()) {
    const same = chosen.slice(0, index).find((other) => other.port === port);
    if (same) throw new StartFailure(`${same.name} and ${name} are both ${port}: give each its own port`);
    if (!(await isPortFree(port))) {
      throw new StartFailure(
        `Port ${port} is already in use. Stop the program that listens there, or choose another port, for example ` +
          `${name}=${port + 100} npm start`,
      );
    }
  }
  const [api = 0, management = 0, workerManagement = 0] = chosen.map(({ port }) => port);
  return { api, management, workerManagement };
}

/** A port of a supporting server: exactly the one that is asked for, or `usual` when free, else any. */
export async function supportingPort(
  name: string,
  usual: number,
  anyFree: () => Promise<number>,
): Promise<number> {
  if (isGiven(name)) {
    const port = portFrom(name, usual);
    if (await isPortFree(port)) return port;
    throw new StartFailure(
      `Port ${port} (${name}) is already in use. Choose another one or leave ${name} unset`,
    );
  }
  return (await isPortFree(usual)) ? usual : anyFree();
}

function portFrom(name: string, fallback: number): number {
  const text = process.env[name];
  if (text === undefined || text === '') return fallback;
  const port = Number(text);
  if (!Number.isInteger(port) || port < 1 || port > 65_535) {
    throw new StartFailure(`${name} is "${text}", which is not a port: use a number from 1 to 65535`);
  }
  return port;
}
