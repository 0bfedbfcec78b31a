import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

const DAY_MS = 86_400_000;
const PROGRAM = `
  const captured = Date.now;
  class Later extends Date {}
  process.stdout.write(JSON.stringify({
    now: Date.now(), captured: captured(), made: new Date().getTime(), said: Date.parse(Date()),
    given: new Date(5).getTime(), later: new Later().getTime(), isDate: new Date() instanceof Date,
    kind: new Date().constructor === Date, utc: Date.UTC(1970, 0, 1), steady: performance.timeOrigin + performance.now(),
  }));`;

describe('a process with a wrong clock', () => {
  let directory: string;
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'holdfast-clock-'));
  });
  afterEach(() => rmSync(directory, { recursive: true }));

  it.each([8 * DAY_MS, -8 * DAY_MS])('is wrong by %i ms wherever it asks for the date', async (offset) => {
    const file = join(directory, 'clock');
    writeFileSync(file, String(offset));
    const { stdout } = await promisify(execFile)(
      process.execPath,
      ['--import', join(import.meta.dirname, 'clock.mjs'), '--eval', PROGRAM],
      { env: { PATH: process.env.PATH, NEMESIS_CLOCK: file } },
    );
    const said = JSON.parse(stdout) as Record<string, number | boolean>;
    for (const name of ['now', 'captured', 'made', 'said', 'later'])
      expect(Math.abs(Number(said[name]) - offset - Number(said.steady))).toBeLessThan(60_000);
    expect(said).toMatchObject({ given: 5, isDate: true, kind: true, utc: 0 });
  });
});
