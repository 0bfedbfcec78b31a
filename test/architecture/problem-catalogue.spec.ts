import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { problemCatalogue } from './problem-catalogue.js';
import { Project } from './project.js';

// TypeScript and the build take their time on a busy machine.
vi.setConfig({ testTimeout: 60_000, hookTimeout: 120_000 });

const root = join(import.meta.dirname, '../..');

describe('docs/problems.md', () => {
  it('explains every problem that the code declares', async () => {
    // A file snapshot: `npm run docs` writes it anew.
    await expect(problemCatalogue(new Project(root))).toMatchFileSnapshot(join(root, 'docs/problems.md'));
  });

  it('has one anchor per code, for the links in types of problems', () => {
    const anchors = [...problemCatalogue(new Project(root)).matchAll(/<a id="([a-z0-9-]+)"><\/a>`\1`/g)];
    const codes = anchors.map(([, code]) => code);

    expect(codes).toContain('not-found');
    expect(new Set(codes).size).toBe(codes.length);
  });
});
