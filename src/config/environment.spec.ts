import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { readEnvironment } from './index.js';

describe('the environment', () => {
  let directory: string;

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'environment-'));
    vi.stubEnv('SPEC_SET', 'by the shell');
    vi.stubEnv('SPEC_ABSENT', undefined);
  });
  afterEach(() => {
    vi.unstubAllEnvs();
    rmSync(directory, { recursive: true });
  });

  it('is that of the process without a .env', () => {
    expect(readEnvironment(join(directory, '.env'))).toMatchObject({ SPEC_SET: 'by the shell' });
  });

  it('is completed from .env, but set variables take precedence', () => {
    const file = join(directory, '.env');
    writeFileSync(file, 'SPEC_SET=by the file\nSPEC_ABSENT="from the file"\n');

    expect(readEnvironment(file)).toMatchObject({
      SPEC_SET: 'by the shell',
      SPEC_ABSENT: 'from the file',
    });
  });
});
