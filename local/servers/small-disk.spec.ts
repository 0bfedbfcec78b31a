import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { noSmallDisks, smallDisk } from './small-disk.ts';

describe.skipIf(noSmallDisks())('a small disk', () => {
  it('runs full, has room again, and leaves nothing', async () => {
    const disk = await smallDisk('disk', { megabytes: 8 });
    const file = join(disk.path, 'file');
    try {
      writeFileSync(file, Buffer.alloc(1_000_000));
      await disk.fill();
      expect(() => writeFileSync(join(disk.path, 'other'), Buffer.alloc(8192))).toThrow('ENOSPC');
      await disk.clear();
      writeFileSync(file, Buffer.alloc(4_000_000));
    } finally {
      await disk.remove();
    }
    expect(existsSync(disk.path)).toBe(false);
  });
});
