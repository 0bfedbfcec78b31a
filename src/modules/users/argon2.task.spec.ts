import { describe, expect, it } from 'vitest';
import { argon2id } from './argon2.task.js';

describe('argon2id', () => {
  // Made with the reference implementation: echo -n "password" | argon2 somesalt -id -t 2 -m 16 -p 1 -l 32
  it('computes what the reference implementation computes', () => {
    const tag = argon2id({
      password: Buffer.from('password'),
      salt: Buffer.from('somesalt'),
      memory: 65_536,
      passes: 2,
      parallelism: 1,
      tagLength: 32,
    });
    expect(Buffer.from(tag).toString('hex')).toBe(
      '09316115d5cf24ed5a15a31a3ba326e5cf32edc24702987c02b6566f61913cf7',
    );
  });
});
