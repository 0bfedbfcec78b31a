import type { Operation } from './history.ts';
import type { Rig } from './rig.ts';
import type { Schedule } from './schedule.ts';

export interface Evidence {
  /** One sentence: what is wrong, with the ids. */
  what: string;
  /** Ids (of operations' requests, transfers, keys, accounts) whose log lines and operations belong to it. */
  about: string[];
}

export interface Verdict {
  /** For example `412 acknowledged transfers`. An invariant that has counted nothing has shown nothing. */
  counted: string;
  /** Empty when the invariant holds. */
  violations: Evidence[];
}

/** What is known after a schedule, when everything is whole again and at rest. */
export interface Aftermath<Final = unknown> {
  schedule: Schedule;
  history: readonly Operation[];
  /** What the product's `final` found in PostgreSQL, at the provider and in the mail store. */
  final: Final;
  /** What the rig watched: answers of the probes, ends of processes, log lines. */
  rig: Rig;
}

/** A statement about all that happened. Each stands in a file of its own, `<name>.invariant.ts`, which exports these names. */
export interface Invariant<Final = unknown> {
  /** For example `No acknowledged transfer is lost`. */
  statement: string;
  check(aftermath: Aftermath<Final>): Verdict | Promise<Verdict>;
}

export interface NamedInvariant<Final = unknown> extends Invariant<Final> {
  name: string;
}
