import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { discoverScenarios } from './discover.ts';
import { pick, UsageError } from '../../local/run-options.ts';
import { parseOptions as parseClusterOptions } from './cluster/options.ts';
import { parseOptions } from './options.ts';

const parse = (...args: string[]) => parseOptions(args, 'reports');

describe('the options of npm run verify', () => {
  it('are none by default: everything, as shipped', () => {
    expect(parse()).toEqual({ list: false, help: false, only: [], env: {}, reports: 'reports' });
  });

  it('choose scenarios and settings', () => {
    expect(
      parse('--only', 'soak,overload', '--only', 'restart', '--env', 'A=1', '--env', 'B=x=y'),
    ).toMatchObject({
      only: ['soak', 'overload', 'restart'],
      env: { A: '1', B: 'x=y' },
    });
  });

  it.each([
    [['--env', 'NAME'], '--env must be NAME=VALUE, not "NAME"'],
    [['--frobnicate'], "Unknown option '--frobnicate'"],
  ])('are rejected with a reason when they are invalid: %j', (args, message) => {
    expect(() => parse(...args)).toThrow(UsageError);
    expect(() => parse(...args)).toThrow(message);
  });
});

describe('the options of npm run verify:cluster', () => {
  const parseCluster = (...args: string[]) => parseClusterOptions(args, 'reports');

  it('are an image that the nodes have, and a port of a node, by default', () => {
    expect(parseCluster()).toMatchObject({ image: 'holdfast:dev', address: undefined, rate: 150 });
  });

  it('can be the address of a gateway, and how a node is lost', () => {
    const [lose, back] = ['docker pause {node}', 'docker unpause {node}'];
    expect(
      parseCluster('--address', 'http://192.0.2.1:8080', '--lose-node', lose, '--return-node', back),
    ).toMatchObject({ address: { host: '192.0.2.1', port: 8080 }, loseNode: lose, returnNode: back });
  });

  it.each([
    [['--address', 'example.com'], '--address must be HOST:PORT, not "example.com"'],
    [['--rate', 'fast'], '--rate must be a whole number, not "fast"'],
    [['--lose-node', 'docker pause {node}'], '--lose-node and --return-node go together'],
  ])('are rejected with a reason when they are invalid: %j', (args, message) => {
    expect(() => parseCluster(...args)).toThrow(message);
  });
});

it('An unknown scenario is rejected with the names of the known ones', () => {
  const scenarios = [{ name: 'overload' }, { name: 'soak' }];
  expect(() => pick(scenarios, ['soke'])).toThrow(UsageError);
  expect(() => pick(scenarios, ['soke'])).toThrow('Unknown: "soke". Available: overload, soak');
  expect(pick(scenarios, ['soak'])).toEqual([{ name: 'soak' }]);
});

describe('scenarios', () => {
  let directory: string;
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'holdfast-scenarios-'));
  });
  afterEach(() => rmSync(directory, { recursive: true }));

  it('are found by the name of their file, short ones first', async () => {
    const scenario = (seconds: number): string =>
      `export const promise = 'It holds.'; export const seconds = ${seconds}; export async function run() {}`;
    writeFileSync(join(directory, 'long-one.scenario.mjs'), scenario(60));
    writeFileSync(join(directory, 'long-one.scenario.ts'), scenario(60));
    writeFileSync(join(directory, 'a-short-one.scenario.ts'), scenario(10));
    writeFileSync(join(directory, 'helper.ts'), 'throw new Error("not a scenario")');
    const names = (await discoverScenarios(directory)).map(({ name }) => name);
    expect(names).toEqual(['a-short-one', 'long-one']);
  });

  it('are rejected without a promise', async () => {
    writeFileSync(join(directory, 'empty.scenario.ts'), 'export const run = 1;');
    await expect(discoverScenarios(directory)).rejects.toThrow('empty.scenario.ts must export promise');
  });

  it('each have a promise of one sentence', async () => {
    const scenarios = await discoverScenarios();
    expect(scenarios.length).toBeGreaterThanOrEqual(12);
    const onACluster = await discoverScenarios(join(import.meta.dirname, 'cluster/scenarios'));
    for (const { name, promise } of [...scenarios, ...onACluster]) {
      expect(name).toMatch(/^[a-z]+(-[a-z]+)*$/);
      expect(promise).toMatch(/^[A-Z].*\.$/);
    }
  });
});
