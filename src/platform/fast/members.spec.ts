import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { switchOff } from './fast-paths.js';
import { Members } from './members.js';

describe.each([['an array', []] as const, ['a Set', ['array-members']] as const])(
  'members in %s',
  (_, off) => {
    beforeAll(() => switchOff(off));
    afterAll(() => switchOff([]));

    it('are in it from their coming to their going, in any order', () => {
      const some = new Members<string>();
      for (const name of ['a', 'b', 'c', 'd']) some.add(name);
      for (const name of ['b', 'd', 'nobody']) some.delete(name);
      expect(some.size).toBe(2);
      expect([...some].sort()).toEqual(['a', 'c']);
      for (const name of ['a', 'c']) some.delete(name);
      expect([...some]).toEqual([]);
    });

    it('can come and go while all of them are looked at', () => {
      const some = new Members<string>();
      for (const name of ['a', 'b', 'c']) some.add(name);
      const seen: string[] = [];
      for (const name of some) {
        seen.push(name);
        some.delete(name);
        some.add('late');
      }
      expect(seen.sort()).toEqual(['a', 'b', 'c']);
      expect([...some]).toContain('late');
    });
  },
);
