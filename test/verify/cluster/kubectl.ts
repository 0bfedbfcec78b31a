import { spawn } from 'node:child_process';

/** A command of kubectl that failed, with what it said. */
export class KubectlError extends Error {}

export interface KubectlOptions {
  input?: string;
  timeoutMs?: number;
}

const TIMEOUT_MS = 120_000;

/** Runs kubectl with the KUBECONFIG of this process. @returns what it wrote @throws KubectlError */
export function kubectl(args: string[], { input = '', timeoutMs = TIMEOUT_MS }: KubectlOptions = {}) {
  return new Promise<string>((resolve, reject) => {
    const child = spawn('kubectl', args, { stdio: 'pipe', timeout: timeoutMs });
    let [out, err] = ['', ''];
    child.stdout.on('data', (chunk) => (out += String(chunk)));
    child.stderr.on('data', (chunk) => (err += String(chunk)));
    child.stdin.on('error', () => undefined);
    child.on('error', (error) => reject(new KubectlError(`kubectl cannot be run: ${error.message}`)));
    child.on('close', (code, signal) => {
      if (code === 0) resolve(out);
      else
        reject(new KubectlError(`kubectl ${args.join(' ')}: ${signal ?? code}: ${err.trim() || out.trim()}`));
    });
    child.stdin.end(input);
  });
}
