import type { StreamPlan } from './load/plan.ts';
import type { Customer } from './bank.ts';
import type { Stage } from './stage.ts';

export interface Rates {
  /** Requests per second of each kind. */
  transferring?: number;
  reading?: number;
  browsing?: number;
}

export const TRANSFERRING = 'making transfers';
export const READING = 'reading transfers';
export const BROWSING = 'reading accounts';

/**
 * Ordinary traffic: customers make transfers, read old ones, and browse. Open loop, so that a stalled server gets the same number
 * of requests as any other. Transfers are kept in a journal.
 * @param ports default: both api instances
 */
export function ledgerTraffic(
  stage: Stage,
  people: { customers: Customer[]; transfers: { id: string; customer: Customer }[] },
  rates: Rates,
  ports: number[] = stage.ports,
): StreamPlan[] {
  const { transferring = 0, reading = 0, browsing = 0 } = rates;
  const { bank } = stage;
  const streams: StreamPlan[] = [
    {
      name: TRANSFERRING,
      ports,
      requests: bank.transferring(people.customers),
      pace: open(transferring),
      journal: true,
    },
    { name: READING, ports, requests: bank.reading(people.transfers), pace: open(reading) },
    { name: BROWSING, ports, requests: bank.browsing(), pace: open(browsing) },
  ];
  return streams.filter(({ pace }) => pace.kind === 'open' && pace.perSecond > 0);
}

/** Customers of this scenario, with some transfers to read. */
export async function clientele(
  stage: Stage,
  { customers: howMany = 4, transfers: howManyTransfers = 40 } = {},
): Promise<{ customers: Customer[]; transfers: { id: string; customer: Customer }[] }> {
  const customers = await stage.customers(howMany);
  const transfers = await stage.bank.transfer(stage.apis[0]!.url, customers, howManyTransfers);
  return { customers, transfers };
}

function open(perSecond: number): { kind: 'open'; perSecond: number } {
  return { kind: 'open', perSecond };
}
