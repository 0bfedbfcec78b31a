import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { waitFor } from '../../local/wait-for.ts';
import { openCounter, type Counter } from './counter.ts';
import { expectUnavailable } from './expectations.ts';

const TOKEN = 'a-token-for-rehearsals';

describe('faults that are switched on to rehearse', () => {
  let counter: Counter;
  const headers = { authorization: `Bearer ${TOKEN}` };

  beforeAll(async () => {
    counter = await openCounter({ worker: false, env: { FAULTS_ENABLED: 'true', FAULTS_TOKEN: TOKEN } });
  });
  afterAll(() => counter?.close());

  const set = (fault: object) => counter.api.management.put('/faults', fault, { headers });
  const clear = () => counter.api.management.delete('/faults', { headers });

  it('need the token', async () => {
    expect((await counter.api.management.get('/faults')).status).toBe(401);
    expect(
      (await counter.api.management.put('/faults', { target: 'dependency:redis', kind: 'fail' })).status,
    ).toBe(401);
  });

  it('are refused when they make no sense, with a pointer', async () => {
    const answer = await set({ target: 'the moon', kind: 'explode' });
    expect(answer.status).toBe(422);
    expect(answer.body).toMatchObject({ errors: [{ pointer: '/target' }, { pointer: '/kind' }] });
  });

  it('are refused for a dependency that does not exist, with those that do', async () => {
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

  it('hit the dependency or the route they name, and nothing after they are cleared', async () => {
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

  it('leave probes and metrics alone', async () => {
    await set({ target: 'dependency:redis', kind: 'block' });
    expect((await counter.live()).status).toBe(200);
    expect((await counter.api.management.get('/metrics')).status).toBe(200);
    expect((await counter.transfer()).status).toBe(201);
    await clear();
  });

  it('cannot be switched on in production', async () => {
    const { code, stderr } = await counter.stack.cli(['config:check'], { NODE_ENV: 'production' });
    expect(code).toBe(1);
    expect(stderr).toContain('FAULTS_ENABLED: cannot be true when NODE_ENV=production');
  });
});
