import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { privateDirectory } from '../../local/servers/private-directory.ts';
import type { PrivateDirectory } from '../../local/servers/private-directory.ts';
import { repositoryRoot } from '../../local/servers/paths.ts';
import type { RunResult } from '../verify/results.ts';

// A game day that cannot fail proves nothing: here a promise is broken on purpose.
let reports: PrivateDirectory;

beforeAll(async () => {
  reports = await privateDirectory('verify-reports');
});

afterAll(() => reports.remove());

function verify(...args: string[]): Promise<{ code: number; output: string }> {
  const file = join(repositoryRoot, 'test/verify/run.ts');
  return new Promise((resolve) => {
    execFile(process.execPath, [file, '--reports', reports.path, ...args], (error, stdout, stderr) => {
      resolve({ code: error ? Number(error.code) : 0, output: stdout + stderr });
    });
  });
}

describe('npm run verify', () => {
  it('fails when instances behind a proxy stop without draining', { timeout: 240_000 }, async () => {
    const { code, output } = await verify(
      '--only',
      'rolling-replacement',
      '--env',
      'SHUTDOWN_DRAIN_DELAY_MS=0',
    );
    expect(code, output).toBe(1);
    const result = JSON.parse(readFileSync(join(reports.path, 'verify.json'), 'utf8')) as RunResult;
    expect(result.held).toBe(false);
    expect(result.scenarios).toHaveLength(1);
    const checks = result.scenarios[0]?.checks ?? [];
    // For the reason that was given it, and for no other.
    expect(checks.find(({ statement }) => statement === 'no request fails')).toMatchObject({ held: false });
    expect(checks.find(({ statement }) => statement.includes('exit code 0'))).toMatchObject({ held: true });
    expect(readFileSync(join(reports.path, 'verify.html'), 'utf8')).toContain('0 of 1 promises held');
  });

  it('reports invalid arguments, with the exit code for no result', async () => {
    const { code, output } = await verify('--only', 'no-such-scenario');
    expect(code).toBe(2);
    expect(output).toContain('Unknown: "no-such-scenario"');
  });
});
