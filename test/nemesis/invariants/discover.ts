import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Invariant, NamedInvariant } from '../invariant.ts';

const ENDING = '.invariant.ts';

/** Where those of every product stand. */
export const COMMON = import.meta.dirname;

/** The invariants that stand in these folders. */
export async function discoverInvariants<Final>(...folders: string[]): Promise<NamedInvariant<Final>[]> {
  const files = folders.flatMap((folder) =>
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
