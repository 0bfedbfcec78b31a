import { isFast } from './fast-paths.js';

/**
 * A small set whose members come and go with every request or job; each is added once. Used instead of `Set`, whose hash table is
 * rebuilt after a few dozen of those, and the old table points to the new one (V8's OrderedHashTable, for its iterators). As soon
 * as one dead table is in the old generation it keeps all later ones alive, with everything in them: half of the memory allocated
 * for requests survived every scavenge, which took a tenth of the processor and made p99 three times as long.
 */
export class Members<T> {
  private readonly list: T[] = [];
  private readonly set = isFast('array-members') ? undefined : new Set<T>();

  get size(): number {
    return this.set?.size ?? this.list.length;
  }

  add(member: T): void {
    if (this.set) this.set.add(member);
    else this.list.push(member);
  }

  /** @returns whether it was a member */
  delete(member: T): boolean {
    if (this.set) return this.set.delete(member);
    const index = this.list.indexOf(member);
    if (index === -1) return false;
    const last = this.list.pop() as T;
    if (index < this.list.length) this.list[index] = last;
    return true;
  }

  /** The current members, in no order; later changes do not show. */
  [Symbol.iterator](): Iterator<T> {
    return [...(this.set ?? this.list)].values();
  }
}
