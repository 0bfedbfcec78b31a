import type { Environment } from '../../local/processes.ts';
import type { History } from './record.ts';
import type { NamedInvariant } from './invariant.ts';
import type { Random } from './random.ts';
import type { Rig } from './rig.ts';

/** Clients at work. */
export interface Traffic {
  /** Resolves when every client has finished its last operation; none begins another one. */
  stop(): Promise<void>;
}

export interface Clients {
  random: Random;
  history: History;
  /** None of them hangs up or gives up. */
  patient?: boolean;
}

export interface Afterwards {
  random: Random;
  history: History;
  /** Milliseconds. Far more than it takes: slowness breaks no promise. */
  within: number;
}

/**
 * A product under the nemesis: what its clients do, and what must hold. It stands in `products/<name>/`, whose `index.ts` exports
 * these names; its invariants are the files beside it.
 */
export interface Product<Final = unknown> {
  /** Builds it. @returns the folder that holds main.js, worker.js and cli.js */
  build(): Promise<string>;
  /** Settings that it needs on a stack. */
  settings(env: Environment): Environment;
  /** Path at which it takes the provider's webhooks, if it does. */
  webhooks?: string;
  /** Rows, accounts and sessions that the clients begin with; while everything is whole. */
  prepare(rig: Rig, random: Random): Promise<void>;
  /** Starts the clients. All they decide comes from `random`. */
  start(rig: Rig, how: Clients): Traffic;
  /**
   * What clients do once everything is whole again: every request whose outcome they do not know is retried until it is answered,
   * and whatever should work again is tried. After `stop`, before `unfinished` is asked for the first time.
   */
  afterwards(rig: Rig, how: Afterwards): Promise<void>;
  /** Whether nothing is left half-way; what is, in words. */
  unfinished(rig: Rig): Promise<string[]>;
  /** Reads what really happened, after everything came to rest. */
  final(rig: Rig): Promise<Final>;
  invariants(): Promise<NamedInvariant<Final>[]>;
}
