import { describe, expect, it } from 'vitest';
import { Members } from './members.js';

describe('what comes and goes', () => {
  it('is a member from its coming to its going, in whatever order they go', () => {
    const members = new Members<string>();
    for (const name of ['a', 'b', 'c', 'd']) members.add(name);
    for (const name of ['b', 'd', 'nobody']) members.delete(name);
    expect(members.size).toBe(2);
    expect([...members].sort()).toEqual(['a', 'c']);
    for (const name of ['a', 'c']) members.delete(name);
    expect([...members]).toEqual([]);
  });

  it('can go while all of them are looked at', () => {
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
