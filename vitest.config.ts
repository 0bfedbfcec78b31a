import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    // Processes, not threads: a test that starts servers must be able to be ended whole. Two, because the servers
    // under test want the machine's cores as well.
    pool: 'forks',
    maxWorkers: 2,
    restoreMocks: true,
    // Far above what anything takes: a machine with other work to do must not fail a test by that alone.
    testTimeout: 60_000,
    hookTimeout: 180_000,
    coverage: {
      provider: 'v8',
      include: ['src/**/*.ts'],
      exclude: ['src/**/*.spec.ts'],
      reporter: ['text-summary', 'html', 'json-summary'],
      thresholds: { lines: 90 },
    },
    projects: [
      {
        extends: true,
        // Rigs of many processes, minutes long: npm run test:nemesis.
        test: {
          name: 'nemesis',
          include: ['test/faults/nemesis*.spec.ts'],
          maxWorkers: 1,
          testTimeout: 300_000,
          hookTimeout: 180_000,
        },
      },
      {
        extends: true,
        test: {
          name: 'unit',
          include: ['{src,scripts,schematics,bench}/**/*.spec.ts', 'test/{verify,nemesis}/**/*.spec.ts'],
        },
      },
      {
        extends: true,
        // Reads the whole tree and type-checks it.
        test: { name: 'architecture', include: ['test/architecture/*.spec.ts'], testTimeout: 180_000 },
      },
      {
        extends: true,
        // Every file starts the servers it needs for itself (local/servers): it may freeze and kill them.
        test: {
          name: 'integration',
          include: ['test/{repositories,e2e,specimen}/**/*.spec.ts', 'local/**/*.spec.ts'],
          // After the unit specs, some of which look at the clock.
          sequence: { groupOrder: 1 },
          // Above what the waits of a test add up to: each of them says by itself what did not come true.
          testTimeout: 180_000,
          hookTimeout: 120_000,
        },
      },
      {
        extends: true,
        test: {
          name: 'faults',
          include: ['test/faults/**/*.spec.ts'],
          exclude: ['test/faults/nemesis*.spec.ts'],
          // One file at a time, after everything else: what is measured here is time.
          maxWorkers: 1,
          sequence: { groupOrder: 2 },
          // Longer than all waits of a test together.
          testTimeout: 300_000,
          hookTimeout: 180_000,
        },
      },
    ],
  },
});
