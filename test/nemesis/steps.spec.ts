import { expect, it } from 'vitest';
import { waitFor } from '../../local/wait-for.ts';
import type { NamedFault } from './fault.ts';
import type { RunningRig } from './rig/start.ts';
import type { Step } from './schedule.ts';
import { FaultFailed, Steps } from './steps.ts';

const rig = () => ({ faults: { active: 0, begun: 0 } }) as RunningRig;
const step = (at: number, lasts: number, fault = 'noted'): Step => ({
  at,
  lasts,
  fault,
  target: 'a',
  with: {},
});

function noting(said: string[]): NamedFault {
  return {
    name: 'noted',
    what: 'Nothing breaks.',
    targets: ['a'],
    begin: (_, { with: { name = '' } }) => Promise.resolve(void said.push(`begin ${name}`)),
    end: (_, { with: { name = '' } }) => Promise.resolve(void said.push(`end ${name}`)),
  };
}

it('A step that is in progress when the schedule ends is ended, and what has not begun never begins', async () => {
  const said: string[] = [];
  const steps = new Steps(rig(), [noting(said)], [step(0, 600_000), step(900_000, 1)]);
  await waitFor(() => said.length > 0);
  await steps.end();
  expect(said).toEqual(['begin ', 'end ']);
  expect(steps.applied).toHaveLength(1);
});

it('A step whose target is still held waits for it', async () => {
  const said: string[] = [];
  const named = (name: string, at: number): Step => ({ ...step(at, 50), with: { name } });
  const steps = new Steps(rig(), [noting(said)], [named('first', 0), named('second', 1)]);
  await waitFor(() => said.length === 4);
  await steps.end();
  expect(said).toEqual(['begin first', 'end first', 'begin second', 'end second']);
});

it('A fault that cannot be created is an error of the harness, and counts as over', async () => {
  const broken: NamedFault = { ...noting([]), begin: () => Promise.reject(new Error('no such server')) };
  const place = rig();
  const steps = new Steps(place, [broken], [step(0, 0)]);
  await waitFor(() => place.faults.begun === 1 && place.faults.active === 0);
  await expect(steps.end()).rejects.toThrow(new FaultFailed('noted of a failed: no such server'));
});
