import { afterAll, describe, expect, it, vi } from 'vitest';
import { loadSettings } from '../../config/index.js';
import { CpuPool } from '../../platform/cpu/index.js';
import { argon2id, type Argon2Input } from './argon2.task.js';
import { encodePasswordHash } from './password-hash.js';
import { Passwords } from './passwords.js';

const stored =
  '$argon2id$v=19$m=19456,t=2,p=1$MDEyMzQ1Njc4OWFiY2RlZg$BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc';

describe('Passwords', { timeout: 20_000 }, () => {
  const pool = new CpuPool(loadSettings({ CPU_THREADS: '1' }));
  const passwords = new Passwords(pool);

  afterAll(() => pool.onApplicationShutdown());

  it('accepts the password that was hashed and no other', async () => {
    const hash = await passwords.hash('correct horse');
    expect(await passwords.check('correct horse', hash)).toEqual({ matches: true, outdated: false });
    expect(await passwords.check('correct horsf', hash)).toEqual({ matches: false, outdated: false });
  });

  it('salts each hash', async () => {
    expect(await passwords.hash('the same')).not.toBe(await passwords.hash('the same'));
  });

  it('treats composed and decomposed characters as the same password', async () => {
    const hash = await passwords.hash('Stra\u00dfe caf\u00e9');
    expect((await passwords.check('Stra\u00dfe cafe\u0301', hash)).matches).toBe(true);
  });

  it('accepts a hash with old parameters, and reports that it is outdated', async () => {
    const old = { memory: 8_192, passes: 1, parallelism: 1, salt: Buffer.alloc(16, 1) };
    const tag = argon2id({ ...old, password: Buffer.from('long ago'), tagLength: 32 });
    expect(await passwords.check('long ago', encodePasswordHash({ ...old, tag }))).toEqual({
      matches: true,
      outdated: true,
    });
  });

  it('matches nothing for an unknown account, after the same computation', async () => {
    expect(await passwords.check('anything', undefined)).toEqual({ matches: false, outdated: false });
    const run = vi.spyOn(pool, 'run');
    await passwords.check('wrong', stored);
    await passwords.check('wrong', undefined);
    const [known, unknown] = run.mock.calls.map(([, input]) => ({ ...(input as Argon2Input), salt: 'any' }));
    expect(unknown).toEqual(known);
    expect(run).toHaveBeenCalledTimes(2);
  });
});
