import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { messageOf, Project } from './project.js';
import { rules } from './rules/index.js';

const fixtures = join(import.meta.dirname, 'fixtures');
const repository = join(import.meta.dirname, '../..');

/** Each fixture is a small tree that breaks its rule, beside what keeps it; `expected.txt` holds what the rule must say. */
describe('on a tree that breaks it', () => {
  it('every rule has a fixture, and every fixture a rule', () => {
    expect(readdirSync(fixtures).toSorted()).toEqual(rules.map(({ name }) => name).toSorted());
  });

  it.each(rules)('$name reports where, what, and the remedy', (rule) => {
    const said = rule.check(new Project(join(fixtures, rule.name), ['src', 'local', 'test'])).map(messageOf);

    expect(said).toEqual(
      readFileSync(join(fixtures, rule.name, 'expected.txt'), 'utf8')
        .trim()
        .split('\n'),
    );
  });
});

describe('this repository', () => {
  const project = new Project(repository, [
    'src',
    'migrations',
    'local',
    'scripts',
    'bench',
    'schematics',
    'test',
  ]);

  it('is what the rules check', () => {
    expect(project.file('src/main.ts')).toBeDefined();
    expect(project.sources.length).toBeGreaterThan(50);
  });

  it.each(rules)('keeps $name', (rule) => {
    expect(rule.check(project).map(messageOf)).toEqual([]);
  });
});
