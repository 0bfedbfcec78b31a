import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { problemCatalogue } from './problem-catalogue.js';
import { Project } from './project.js';

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
