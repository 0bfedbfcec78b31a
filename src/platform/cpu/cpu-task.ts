/** A function in a module of its own that a thread can load. Made by `cpuTask`. */
export interface CpuTask<Input, Output> {
  readonly module: string;
  readonly name: string;
  /** Never set; carries the types. */
  readonly types?: (input: Input) => Output;
}

/**
 * Names a function that is to run in the pool.
 *
 * The module must import packages only and use erasable TypeScript: a thread loads the compiled file in production and the
 * source under vitest. Input and output are structured-cloned.
 * @param from `import.meta.url` of the caller
 * @param module path of the task's module relative to the caller, without its ending: `./argon2.task`
 * @param name of the export
 */
export function cpuTask<F extends (input: never) => unknown>(
  from: string,
  module: string,
  name: string,
): CpuTask<Parameters<F>[0], Awaited<ReturnType<F>>> {
  const ending = from.endsWith('.ts') ? '.ts' : '.js';
  return { module: new URL(`${module}${ending}`, from).href, name };
}
