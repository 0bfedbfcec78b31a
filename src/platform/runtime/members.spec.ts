import { describe, expect, it } from 'vitest';
import { Members } from './members.js';

describe('members', () => {
  it('are members until they leave, in any order', () => {
    const members = new Members<string>();
    for (const name of ['a', 'b', 'c', 'd']) members.add(name);
    for (const name of ['b', 'd', 'nobody']) members.delete(name);
    expect(members.size).toBe(2);
    expect([...members].sort()).toEqual(['a', 'c']);
    for (const name of ['a', 'c']) members.delete(name);
    expect([...members]).toEqual([]);
  });

  it('can leave during an iteration', () => {
    const members = new Members<string>();
    for (const name of ['a', 'b', 'c']) members.add(name);
    const seen: string[] = [];
    for (const name of members) {
      seen.push(name);
      members.delete(name);
    }
    expect(seen.sort()).toEqual(['a', 'b', 'c']);
    expect(members.size).toBe(0);
  });
});
