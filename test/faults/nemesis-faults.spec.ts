import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { httpClient } from '../../local/http.ts';
import { waitFor } from '../../local/wait-for.ts';
import { discoverFaults } from '../nemesis/catalogue.ts';
import { Random } from '../nemesis/random.ts';
import { APIS } from '../nemesis/rig.ts';
import { startRig, type RunningRig } from '../nemesis/rig/start.ts';
import type { Step } from '../nemesis/schedule.ts';
import { buildSpecimen } from '../specimen/build.ts';
import * as ledger from '../specimen/outside.ts';
import { Bank, OPENING_BALANCE, type Customer } from '../verify/bank.ts';
import { EFFECTS } from './effects-of-faults.ts';

const faults = await discoverFaults();
const available = faults.filter(({ unavailable }) => !unavailable?.());
const cases = available.flatMap((fault) =>
  [EFFECTS[fault.name] ?? []]
    .flat()
    .map((effect) => ({ name: `${fault.name} of ${effect.target}`, fault, effect })),
);

/** Far more than anything takes. */
const WITHIN_MS = 60_000;

let rig: RunningRig;
let customer: Customer;
let receiver: string;

beforeAll(async () => {
  const product = { settings: ledger.ledgerSettings };
  rig = await startRig(product, { dist: await buildSpecimen(), env: {} });
  const accounts = await ledger.openAccounts(rig.truth.query, 2, OPENING_BALANCE);
  [receiver] = accounts as [string];
  [customer] = (await new Bank(accounts).register(rig.urlOf('api-1'), 1)) as [Customer];
});
afterAll(() => rig?.stop());

/** Whether a transfer succeeds through each api and its edges. */
async function works(): Promise<boolean> {
  for (const api of APIS) {
    const http = httpClient(rig.urlOf(api)).as(customer.token);
    const headers = { 'Idempotency-Key': randomUUID() };
    const body = ledger.newTransfer(customer.accounts[0]!, receiver);
    const answer = await http.post(ledger.TRANSFERS, body, { headers, timeoutMs: 10_000 });
    if (answer.status !== 201) throw new Error(`${api}: ${answer.text}`);
  }
  return true;
}

describe('a fault of the nemesis', () => {
  it('has an effect that can be seen', () => {
    expect(faults.map(({ name }) => name).filter((name) => !EFFECTS[name])).toEqual([]);
  });

  it.each(cases)('$name begins, shows, ends, and leaves everything whole', async ({ fault, effect }) => {
    await waitFor(() => rig.postgres.standby, { within: 60_000, what: 'a standby' });
    await waitFor(works, { within: WITHIN_MS, what: 'a transfer' });
    const drawn = fault.draw?.(new Random(1), effect.target);
    const step: Step = {
      ...{ at: 0, lasts: fault.lasts?.[0] ?? 0, fault: fault.name, target: effect.target },
      with: { ...drawn, ...effect.with },
    };
    const seen = await effect.look(rig);
    await waitFor(async () => !(await seen()), { what: 'the time before it begins' });
    const begun = fault.begin(rig, step);
    begun.catch(() => undefined);
    try {
      await waitFor(seen, { within: WITHIN_MS, what: 'the effect' });
      await begun;
    } finally {
      await fault.end?.(rig, step);
    }
    await waitFor(works, { within: WITHIN_MS, what: 'a transfer' });
  });
});
