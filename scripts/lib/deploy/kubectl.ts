import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { DeployFailure } from './failure.ts';

/** Answers of the API server take no longer, except where a command waits by itself. */
const TIMEOUT_MS = 120_000;

/** Runs kubectl with the KUBECONFIG of this process. @returns what it wrote @throws DeployFailure with what it said */
export function kubectl(...args: string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn('kubectl', args, { stdio: ['ignore', 'pipe', 'pipe'], timeout: TIMEOUT_MS });
    let [out, err] = ['', ''];
    child.stdout.on('data', (chunk) => (out += String(chunk)));
    child.stderr.on('data', (chunk) => (err += String(chunk)));
    child.on('error', (error) => reject(new DeployFailure(`kubectl cannot be run: ${error.message}`)));
    child.on('close', (code, signal) => {
      if (code === 0) return resolve(out);
      const said = err.trim() || out.trim() || `ended by ${signal ?? code}`;
      reject(new DeployFailure(`kubectl ${args.join(' ')}: ${said}`));
    });
  });
}

/** An object as the API server has it; undefined when there is none, or nothing knows its kind. */
export async function get<T>(namespace: string, kind: string, name: string): Promise<T | undefined> {
  const text = await kubectl('-n', namespace, 'get', kind, name, '--ignore-not-found', '-o', 'json').catch(
    (error: Error) => {
      if (/doesn't have a resource type/.test(error.message)) return '';
      throw error;
    },
  );
  return text.trim() === '' ? undefined : (JSON.parse(text) as T);
}

/** Forwards a port of this machine to one of a Service while `work` runs. It passes no NetworkPolicy, as from a node. */
export async function forwarded<T>(
  namespace: string,
  service: string,
  port: number,
  work: (url: string) => Promise<T>,
): Promise<T> {
  const child = spawn('kubectl', ['-n', namespace, 'port-forward', `service/${service}`, `:${port}`], {
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: TIMEOUT_MS,
  });
  try {
    const url = await new Promise<string>((resolve, reject) => {
      let err = '';
      child.stderr.on('data', (chunk) => (err += String(chunk)));
      child.on('error', (error) => reject(new DeployFailure(`kubectl cannot be run: ${error.message}`)));
      child.on('close', () => reject(new DeployFailure(`kubectl port-forward ended: ${err.trim()}`)));
      createInterface({ input: child.stdout }).on('line', (line) => {
        const found = /127\.0\.0\.1:(\d+)/.exec(line);
        if (found) resolve(`http://127.0.0.1:${found[1]}`);
      });
    });
    return await work(url);
  } finally {
    child.kill();
  }
}
