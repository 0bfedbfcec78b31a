import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Invariant, NamedInvariant } from '../invariant.ts';

const ENDING = '.invariant.ts';

/** Invariants of every product, and those that stand in the folder of one. */
export async function discoverInvariants<Final>(
  product: string,
  common = import.meta.dirname,
): Promise<NamedInvariant<Final>[]> {
  const files = [common, product].flatMap((folder) =>
    readdirSync(folder)
      .filter((file) => file.endsWith(ENDING))
      .sort()
      .map((file) => ({ folder, file })),
  );
  return Promise.all(
    files.map(async ({ folder, file }) => {
      const { statement, check } = (await import(join(folder, file))) as Partial<Invariant<Final>>;
      if (typeof statement !== 'string' || typeof check !== 'function')
        throw new Error(`${file} must export statement (a sentence) and check (a function)`);
      return { name: file.slice(0, -ENDING.length), statement, check };
    }),
  );
}
