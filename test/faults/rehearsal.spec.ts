import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { waitFor } from '../../local/wait-for.ts';
import { openCounter, type Counter } from './counter.ts';
import { expectUnavailable } from './expectations.ts';

const TOKEN = 'a-token-for-rehearsals';

describe('injected faults', () => {
  let counter: Counter;
  const headers = { authorization: `Bearer ${TOKEN}` };

  beforeAll(async () => {
    counter = await openCounter({ worker: false, env: { FAULTS_ENABLED: 'true', FAULTS_TOKEN: TOKEN } });
  });
  afterAll(() => counter?.close());

  const set = (fault: object) => counter.api.management.put('/faults', fault, { headers });
  const clear = () => counter.api.management.delete('/faults', { headers });

  it('require the token', async () => {
    expect((await counter.api.management.get('/faults')).status).toBe(401);
    expect(
      (await counter.api.management.put('/faults', { target: 'dependency:redis', kind: 'fail' })).status,
    ).toBe(401);
  });

  it('are rejected when they are invalid, with a pointer', async () => {
    const answer = await set({ target: 'the moon', kind: 'explode' });
    expect(answer.status).toBe(422);
    expect(answer.body).toMatchObject({ errors: [{ pointer: '/target' }, { pointer: '/kind' }] });
  });

  it('are rejected for an unknown dependency, with the list of known ones', async () => {
    const answer = await set({ target: 'dependency:postgres', kind: 'fail' });
    expect(answer.status).toBe(422);
    expect(answer.body).toMatchObject({
      errors: [
        {
          pointer: '/target',
          code: 'unknown-dependency',
          message: expect.stringContaining('dependency:postgresql'),
        },
      ],
    });
  });

  it('affect the dependency or route that they name, and nothing after they are cleared', async () => {
    expect((await set({ target: 'dependency:postgresql', kind: 'fail' })).status).toBe(200);
    expectUnavailable(await counter.transfer());
    await clear();
    // On a slow machine the circuit may have opened meanwhile.
    await waitFor(async () => (await counter.transfer()).status === 201, { what: 'a transfer' });

    await set({ target: 'route:GET /v1/transfers', kind: 'fail' });
    expectUnavailable(await counter.http.get('/v1/transfers'));
    expect((await counter.transfer()).status).toBe(201);
    await clear();
    expect((await counter.http.get('/v1/transfers')).status).toBe(200);
  });

  it('do not affect probes and metrics', async () => {
    await set({ target: 'dependency:redis', kind: 'block' });
    expect((await counter.live()).status).toBe(200);
    expect((await counter.api.management.get('/metrics')).status).toBe(200);
    expect((await counter.transfer()).status).toBe(201);
    await clear();
  });

  it('cannot be enabled in production', async () => {
    const { code, stderr } = await counter.stack.cli(['config:check'], { NODE_ENV: 'production' });
    expect(code).toBe(1);
    expect(stderr).toContain('FAULTS_ENABLED: cannot be true when NODE_ENV=production');
  });
});
