import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { featureGraph, placeDiagram, platformGraph } from './module-graph.js';
import { Project } from './project.js';

const repository = join(import.meta.dirname, '../..');
const page = join(repository, 'docs/architecture.md');

describe('the diagrams in docs/architecture.md', () => {
  it('show the actual imports and events', async () => {
    const project = new Project(repository);
    const withFeatures = placeDiagram(readFileSync(page, 'utf8'), 'feature graph', featureGraph(project));
    const current = placeDiagram(withFeatures, 'platform graph', platformGraph(project));

    // A file snapshot: `npm run docs` writes it anew.
    await expect(current).toMatchFileSnapshot(page);
  });

  it('need a place in the page', () => {
    expect(() => placeDiagram('# Page', 'feature graph', 'x')).toThrow(
      'no place for the diagram: <!-- feature graph',
    );
  });
});
