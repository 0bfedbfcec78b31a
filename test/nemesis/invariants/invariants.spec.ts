import { describe, expect, it } from 'vitest';
import type { Probed } from '../rig.ts';
import * as liveness from './liveness.invariant.ts';
import * as secrets from './no-secret-logged.invariant.ts';
import * as ends from './no-unexpected-end.invariant.ts';
import * as readiness from './readiness-reasons.invariant.ts';
import * as answers from './well-formed-answers.invariant.ts';

const probe = (at: number, status: number, more: Partial<Probed> = {}): Probed => ({
  process: 'api-1',
  path: '/health/live',
  at,
  status,
  tookMs: 5,
  excused: false,
  ...more,
});
const alive = (...probes: Probed[]) => liveness.check({ rig: { probes } }).violations.length;
const ready = (...probes: Probed[]) => readiness.check({ rig: { probes } }).violations.length;

describe('liveness', () => {
  it('holds while a process answers, or a fault holds it down', () => {
    expect(alive(probe(0, 200), probe(500, 0, { excused: true }), probe(20_000, 0), probe(21_000, 200))).toBe(
      0,
    );
  });

  it('is broken by any other answer, and by a long silence', () => {
    expect(alive(probe(0, 503))).toBe(1);
    expect(alive(probe(0, 200), probe(1_000, 0), probe(6_000, 0), probe(12_000, 0))).toBe(1);
  });
});

describe('readiness', () => {
  /** Readiness and liveness, asked every 250 ms. */
  const asked = (from: number, to: number, says: string, more: Partial<Probed> = {}): Probed[] =>
    Array.from({ length: (to - from) / 250 + 1 }, (_, i) => from + i * 250).flatMap((at) => [
      probe(at, 503, { path: '/health/ready', says }),
      probe(at, 200, more),
    ]);
  const redis = '{"status":"error","error":{"redis":{"status":"down"}}}';

  it.each(['{"status":"starting"}', '{"status":"draining"}', '{"postgresql":{"cutOffAlone":true}}'])(
    'holds while a process says %s',
    (says) => {
      expect(ready(...asked(0, 5_000, says))).toBe(0);
    },
  );

  it('is broken once by each process that goes on blaming a dependency', () => {
    const all = asked(0, 2_000, redis);
    expect(ready(...all, ...all.map((one) => ({ ...one, process: 'api-2' as const })))).toBe(2);
  });

  it('is not broken by one check that came too late, nor by a process that is too busy to answer', () => {
    const well = probe(1_250, 200, { path: '/health/ready' });
    expect(ready(...asked(0, 1_000, redis), well, ...asked(1_500, 2_500, redis))).toBe(0);
    expect(ready(...asked(0, 2_000, redis, { tookMs: 900 }))).toBe(0);
  });

  it('is broken by any other status than 503', () => {
    expect(ready(probe(0, 500, { path: '/health/ready' }))).toBe(1);
  });
});

describe('log lines', () => {
  const found = (...lines: string[]) =>
    secrets.check({
      final: { secrets: ['whsec_abcdefghijklmnop+qrstuvwxyz0', 'a.b.signature-of-a-token'] },
      rig: { eachLogLine: (see) => lines.forEach((line) => see('api-1', line)) },
    }).violations.length;

  it('may hold anything but a secret, or a part of one that nobody could guess', () => {
    expect(found('{"message":"a request","path":"/v1/transfers"}')).toBe(0);
    expect(found('x {"key":"whsec_abcdefghijklmnop+"}')).toBe(1);
    expect(found('Authorization: Bearer a.b.signature-of-a-token', 'and nothing')).toBe(1);
  });
});

describe('answers', () => {
  const malformed = (more: object) =>
    answers.check({
      history: [
        { id: 1, client: 'c', kind: 'k', input: {}, at: 'api-1', invokedAt: 0, outcome: 'ok', ...more },
      ],
    });

  it('are counted, and those with a fault reported', () => {
    expect(malformed({ status: 200 })).toEqual({ counted: '1 answers, 0 of them refusals', violations: [] });
    expect(malformed({ status: 500, malformed: 'a 500' }).violations).toHaveLength(1);
  });
});

it('an end that nobody asked for is reported', () => {
  expect(ends.check({ rig: { unexpectedEnds: ['api-1: 1'], processes: new Map() } }).violations).toHaveLength(
    1,
  );
});
