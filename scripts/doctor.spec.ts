import { describe, expect, it } from 'vitest';
import { driftOf } from './lib/doctor/lockfile.js';

describe('packages that differ from the lockfile', () => {
  const wanted = {
    packages: {
      '': { version: '1.0.0' },
      'node_modules/pg': { version: '8.23.1' },
      'node_modules/pg/node_modules/pg-types': { version: '2.2.0' },
      'node_modules/fsevents': { version: '2.3.3', optional: true },
    },
  };

  it('are none after npm ci, though packages for other platforms are missing', () => {
    const { 'node_modules/fsevents': _, ...here } = wanted.packages;

    expect(driftOf(wanted, { packages: here })).toEqual([]);
  });

  it('are those of another version, and those that are missing', () => {
    expect(driftOf(wanted, { packages: { 'node_modules/pg': { version: '8.22.0' } } })).toEqual([
      'pg 8.22.0, not 8.23.1',
      'pg-types, which is missing',
    ]);
  });
});
