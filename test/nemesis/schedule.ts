/** One fault of a schedule. */
export interface Step {
  /** Milliseconds after the load began. */
  at: number;
  /** How long it lasts, in milliseconds; 0 for one that is over at once, such as a cut connection. */
  lasts: number;
  /** Name of the fault: its file without `.fault.ts`. */
  fault: string;
  /** What it hits: one of the fault's targets, for example `api-1` or `worker-2>redis`. */
  target: string;
  /** What the fault drew for this step, for example the delay of a slow connection. */
  with: Record<string, number | string | boolean>;
}

/** All that a run depends on besides the product and the machine. The same seed gives the same schedule. */
export interface Schedule {
  seed: number;
  /** Name of the product: its file without `.product.ts`. */
  product: string;
  /** How long the clients work, in milliseconds. */
  lasts: number;
  /** In the order of `at`. */
  steps: Step[];
  /** Clients wait for every answer: none hangs up or gives up. */
  patient?: boolean;
}
