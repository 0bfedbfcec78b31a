import { Gauge, Registry } from 'prom-client';
import { beforeEach, describe, expect, it } from 'vitest';
import { loadSettings } from '../../config/index.js';
import { FaultInjector } from './fault-injector.js';
import { CIRCUIT_STATE, Policies } from './policies.js';

const policy = {
  timeoutMs: 20,
  concurrency: 10,
  breaker: { size: 10, minimumCalls: 5 },
  reopenAfterMs: 1000,
};

describe('the dependencies of a process', () => {
  const faults = new FaultInjector();
  let gauge: Gauge;
  let policies: Policies;

  beforeEach(() => {
    gauge = new Gauge({
      name: CIRCUIT_STATE,
      help: CIRCUIT_STATE,
      labelNames: ['dependency'],
      registers: [new Registry()],
    });
    policies = new Policies(loadSettings({ DATABASE_QUERY_TIMEOUT_MS: '700' }), gauge, faults);
  });

  it('begin with PostgreSQL, which the platform itself depends on', () => {
    expect(policies.for('postgresql').policy.timeoutMs).toBe(700);
  });

  it('are defined by the provider that calls them, each with its circuit and fault target', async () => {
    const printer = policies.define('printer', policy);

    expect(policies.for('printer')).toBe(printer);
    expect(faults.targets).toEqual(['dependency:postgresql', 'dependency:printer']);
    expect((await gauge.get()).values).toContainEqual({ labels: { dependency: 'printer' }, value: 0 });
  });

  it('have one policy each', () => {
    policies.define('printer', policy);

    expect(() => policies.define('printer', policy)).toThrow('The dependency printer is defined already');
    expect(() => policies.for('scanner')).toThrow('No policy for the dependency scanner');
  });
});
