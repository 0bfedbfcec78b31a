import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Fault, NamedFault } from './fault.ts';
import type { Product } from './product.ts';

const ENDING = '.fault.ts';

/** Every fault of the folder, sorted by name: a schedule depends on the order. */
export async function discoverFaults(directory = join(import.meta.dirname, 'faults')): Promise<NamedFault[]> {
  const files = readdirSync(directory)
    .filter((file) => file.endsWith(ENDING))
    .sort();
  return Promise.all(files.map((file) => load(directory, file)));
}

async function load(directory: string, file: string): Promise<NamedFault> {
  const fault = (await import(join(directory, file))) as Partial<Fault>;
  const problem = problemOf(fault);
  if (problem) throw new Error(`${file} must export ${problem}`);
  return { ...(fault as Fault), name: file.slice(0, -ENDING.length) };
}

function problemOf({ what, targets, weight = 1, lasts, begin, end }: Partial<Fault>): string | undefined {
  if (typeof what !== 'string' || !/^[A-Z].*\.$/.test(what)) return 'what (a sentence)';
  if (!Array.isArray(targets) || targets.length === 0) return 'targets (at least one)';
  if (!(weight > 0)) return 'a weight above 0, or none';
  if (typeof begin !== 'function') return 'begin (a function)';
  if (lasts && !(lasts[0] > 0 && lasts[0] <= lasts[1]))
    return 'lasts (shortest and longest, in milliseconds)';
  if (Boolean(lasts) !== Boolean(end)) return 'both lasts and end, or neither';
  return undefined;
}

/** Names of the products that can be tried: folders of `products/`. */
export function productNames(directory = join(import.meta.dirname, 'products')): string[] {
  return readdirSync(directory)
    .filter((name) => existsSync(join(directory, name, 'index.ts')))
    .sort();
}

export async function loadProduct(name: string): Promise<Product> {
  const path = join(import.meta.dirname, 'products', name, 'index.ts');
  return (await import(path)) as unknown as Product;
}
