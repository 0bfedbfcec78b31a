import { describe, expect, it } from 'vitest';
import { RelayCursor } from './relay-cursor.js';

describe('where the relay looks', () => {
  it('is the beginning at first, and once a second', () => {
    const cursor = new RelayCursor();
    expect(cursor.next(0)).toBe(0);
    cursor.claimed(100, 0);
    expect(cursor.next(999)).toBe(0);
    expect(cursor.next(1000)).toBe(0);
  });

  it('is above claims older than two seconds, and below later ones', () => {
    const cursor = new RelayCursor();
    cursor.next(0);
    cursor.claimed(100, 0);
    cursor.claimed(200, 500);
    cursor.next(2000);
    expect(cursor.next(2001)).toBe(100);
    expect(cursor.next(2500)).toBe(100);
    expect(cursor.next(2501)).toBe(200);
  });

  it('is not lowered by a claim of old events that are relayed again', () => {
    const cursor = new RelayCursor();
    cursor.next(0);
    cursor.claimed(500, 0);
    cursor.claimed(7, 10);
    cursor.next(2100);
    expect(cursor.next(2200)).toBe(500);
    expect(cursor.next(2300)).toBe(500);
  });

  it('is the beginning after events were returned', () => {
    const cursor = new RelayCursor();
    cursor.next(0);
    cursor.claimed(100, 0);
    cursor.next(2500);
    expect(cursor.next(2600)).toBe(100);
    cursor.rewind();
    expect(cursor.next(2700)).toBe(0);
    expect(cursor.next(2800)).toBe(100);
  });
});
