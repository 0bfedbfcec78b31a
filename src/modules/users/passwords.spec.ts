import { afterAll, describe, expect, it } from 'vitest';
import { loadSettings } from '../../config/index.js';
import { CpuPool } from '../../platform/cpu/index.js';
import { argon2id } from './argon2.task.js';
import { encodePasswordHash } from './password-hash.js';
import { Passwords } from './passwords.js';

const stored =
  '$argon2id$v=19$m=19456,t=2,p=1$MDEyMzQ1Njc4OWFiY2RlZg$BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc';

describe('Passwords', () => {
  const pool = new CpuPool(loadSettings({ AUTH_HASH_CONCURRENCY: '1' }));
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

  it('takes differently composed characters for the same password', async () => {
    const hash = await passwords.hash('Stra\u00dfe caf\u00e9');
    expect((await passwords.check('Stra\u00dfe cafe\u0301', hash)).matches).toBe(true);
  });

  it('accepts a hash with the parameters of the past, and says that it is outdated', async () => {
    const old = { memory: 8_192, passes: 1, parallelism: 1, salt: Buffer.alloc(16, 1) };
    const tag = argon2id({ ...old, password: Buffer.from('long ago'), tagLength: 32 });
    expect(await passwords.check('long ago', encodePasswordHash({ ...old, tag }))).toEqual({
      matches: true,
      outdated: true,
    });
  });

  it('matches nothing for an account that does not exist, after the same computation', async () => {
    expect(await passwords.check('anything', undefined)).toEqual({ matches: false, outdated: false });
    const known = await timeOf(() => passwords.check('wrong', stored));
    const unknown = await timeOf(() => passwords.check('wrong', undefined));
    // Nobody in a test may rely on exact times; a missing computation would be a hundred times faster.
    expect(unknown / known).toBeGreaterThan(0.3);
  });
});

/** The fastest of five, in milliseconds. */
async function timeOf(work: () => Promise<unknown>): Promise<number> {
  const times: number[] = [];
  for (let i = 0; i < 5; i++) {
    const start = performance.now();
    await work();
    times.push(performance.now() - start);
  }
  return Math.min(...times);
}
