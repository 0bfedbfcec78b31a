import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { withoutExpired } from './sunset.ts';
import { repositoryRoot } from '../../../local/servers/paths.ts';

export interface Changes {
  /** Whether a client of the first document may fail with the second. */
  breaking: boolean;
  /** Every change with its place, for people. */
  report: string;
}

/**
 * What has changed between two OpenAPI documents, as `redocly diff` rates it. Needs no network. An operation that was released as
 * deprecated may be gone when its sunset is past, and keeps that date until then.
 */
export async function changesBetween(
  released: object,
  current: object,
  today = new Date(),
): Promise<Changes> {
  const { expected, expired, broken } = withoutExpired(released, current, today);
  const { breaking, report } = await compare(expected, current);
  const lines = [
    ...expired.map((operation) => `${operation} is gone; its sunset is past.\n`),
    ...broken.map((operation) => `major: ${operation} may be gone before the sunset that was released.\n`),
  ];
  return { breaking: breaking || broken.length > 0, report: `${report}${lines.join('')}` };
}

async function compare(released: object, current: object): Promise<Changes> {
  const folder = await mkdtemp(join(tmpdir(), 'api-'));
  try {
    for (const [name, document] of Object.entries({ released, current }))
      await writeFile(join(folder, `${name}.json`), JSON.stringify(document, null, 2));
    return await diff(folder);
  } finally {
    await rm(folder, { recursive: true });
  }
}

function diff(folder: string): Promise<Changes> {
  const redocly = join(repositoryRoot, 'node_modules/@redocly/cli/bin/cli.js');
  const { promise, resolve, reject } = Promise.withResolvers<Changes>();
  execFile(
    process.execPath,
    [redocly, 'diff', 'released.json', 'current.json'],
    // It would report its use to its makers, and ask for newer versions of itself.
    {
      cwd: folder,
      env: { ...process.env, REDOCLY_TELEMETRY: 'off', REDOCLY_SUPPRESS_UPDATE_NOTICE: 'true' },
    },
    (error, stdout, stderr) => {
      if (/\d+ major, \d+ minor, \d+ patch\./.test(stdout))
        resolve({ breaking: error !== null, report: stdout });
      else reject(new Error(`redocly diff failed:\n${stdout}${stderr}`, { cause: error }));
    },
  );
  return promise;
}
