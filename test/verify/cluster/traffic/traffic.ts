import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { JournalEntry, StreamPlan } from '../../load/plan.ts';
import type { Cluster } from '../cluster.ts';

/** What clients do. */
export interface Traffic {
  /** What requests ask for and with whose token, made through the api at this address. */
  open(url: string, cluster: Cluster): Promise<OpenTraffic>;
}

export interface OpenTraffic {
  /** @param perSecond all streams together */
  streams(perSecond: number): Pick<StreamPlan, 'name' | 'requests' | 'pace' | 'journal'>[];
  /** The stream whose answers come from the cache, if there is one. */
  cached: string | undefined;
  /** Compares what clients were told with what is stored, when all events are handled (or are not within minutes). */
  accounts(journal: JournalEntry[]): Promise<Accounts>;
}

export interface Accounts {
  acknowledged: number;
  /** Orders that were acknowledged but are not stored, and stored ones without a mail. */
  lost: number;
  /** More than there were requests. */
  doubled: number;
  /** Stored, although the client got no success. A retry with the same key would have got it. */
  unreported: number;
  /** A mail that was sent twice under one Message-ID, by which mail stores drop the second one (RFC 7352). */
  mailedAgain: number;
  /** Events. */
  unhandled: number;
}

const ENDING = '.traffic.ts';
/** What every product has; anything else tells more. */
const LAST = `accounts${ENDING}`;

/** From the file `*.traffic.ts` beside this one that knows the product best; it is found by its name, like a scenario. */
export async function loadTraffic(): Promise<Traffic> {
  const files = readdirSync(import.meta.dirname).filter((file) => file.endsWith(ENDING));
  const [best = LAST] = files.filter((file) => file !== LAST).toSorted();
  const { traffic } = (await import(join(import.meta.dirname, best))) as { traffic: Traffic };
  return traffic;
}
