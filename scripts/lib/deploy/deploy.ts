import { setTimeout as delay } from 'node:timers/promises';
import { say, step } from '../terminal.ts';
import { DeployFailure, SupersededFailure } from './failure.ts';
import { forwarded, get, kubectl } from './kubectl.ts';
import type { Release } from './release.ts';

const WORKLOADS = ['api', 'worker'];
const POLL_MS = 1000;

interface Conditions {
  status?: { conditions?: { type: string; status: string; message?: string }[] };
}

interface Rollout {
  status?: { phase?: string; message?: string; workloadObservedGeneration?: string };
}

interface Deployment extends Conditions {
  metadata: { generation: number };
  spec: { template: { spec: { containers: { image: string }[] } } };
}

export interface DeployOptions {
  /** Milliseconds for migrations and rollouts together. */
  withinMs: number;
  pollMs?: number;
}

/**
 * Applies the overlay of a release and waits until its pods serve. What fails after that is undone: the previous release serves again,
 * on the schema as it is then.
 * @throws DeployFailure with the reason
 */
export async function deploy(release: Release, { withinMs, pollMs = POLL_MS }: DeployOptions): Promise<void> {
  const deadline = Date.now() + withinMs;
  const wait = { deadline, pollMs };
  await step(`Applying ${release.overlay}`, () => kubectl('apply', '-k', release.overlay));
  try {
    await step('Migrating', () => migrated(release, wait));
    for (const workload of WORKLOADS)
      await step(`Rolling out ${workload}`, () => rolledOut(release, workload, wait));
    await step('Asking the api', () => answers(release));
  } catch (error) {
    if (error instanceof DeployFailure && !(error instanceof SupersededFailure)) await undo(release);
    throw error;
  }
}

/** Which of these has come true first; a failure when none does in time. */
async function until<T>(
  { deadline, pollMs }: { deadline: number; pollMs: number },
  what: string,
  check: () => Promise<T | undefined>,
): Promise<T> {
  for (;;) {
    const found = await check();
    if (found !== undefined) return found;
    if (Date.now() >= deadline)
      throw new DeployFailure(`${what} took too long; --timeout gives it more minutes.`);
    await delay(pollMs);
  }
}

async function migrated(
  { namespace, job }: Release,
  wait: { deadline: number; pollMs: number },
): Promise<void> {
  const failed = await until(wait, `The Job ${job}`, async () => {
    const { status } = (await get<Conditions>(namespace, 'job', job)) ?? {};
    const ended = status?.conditions?.find(
      ({ type, status: is }) => is === 'True' && (type === 'Complete' || type === 'Failed'),
    );
    return ended && { message: ended.type === 'Failed' ? (ended.message ?? 'failed') : undefined };
  });
  if (failed.message === undefined) return;
  say(
    await kubectl('-n', namespace, 'logs', `job/${job}`, '--tail=20').catch((error: Error) => error.message),
  );
  throw new DeployFailure(`The migrations have failed: ${failed.message}`);
}

/**
 * With the component `canary` Argo Rollouts replaces the pods of the api, and takes them back itself when they miss the objective
 * (https://argo-rollouts.readthedocs.io/en/stable/features/specification/): its phase is then `Degraded`.
 */
async function rolledOut(
  { namespace, image }: Release,
  workload: string,
  wait: { deadline: number; pollMs: number },
): Promise<void> {
  const phase = await until(wait, `The rollout of ${workload}`, async () => {
    const deployment = await get<Deployment>(namespace, 'deployment', workload);
    if (!deployment) throw new DeployFailure(`There is no Deployment ${workload} in ${namespace}.`);
    if (!deployment.spec.template.spec.containers.some((container) => container.image === image))
      throw new SupersededFailure(
        `The Deployment ${workload} has another image than ${image} by now: nothing was undone.`,
      );
    const canary = await get<Rollout>(namespace, 'rollouts.argoproj.io', workload);
    return canary ? phaseOfCanary(canary, deployment) : phaseOf(deployment);
  });
  if (phase !== 'done') throw new DeployFailure(`The rollout of ${workload} has failed: ${phase}`);
}

/** `done`, why it failed, or undefined while it goes on. */
function phaseOfCanary({ status = {} }: Rollout, { metadata }: Deployment): string | undefined {
  if (status.workloadObservedGeneration !== String(metadata.generation)) return undefined;
  if (status.phase === 'Healthy') return 'done';
  return status.phase === 'Degraded' ? (status.message ?? 'the canary was taken back') : undefined;
}

/** As `kubectl rollout status`: all replicas are of this generation, and serve. */
function phaseOf({ metadata, status = {} }: Deployment): string | undefined {
  const { observedGeneration, replicas, updatedReplicas, availableReplicas } = status as Record<
    string,
    number
  >;
  if (observedGeneration !== metadata.generation) return undefined;
  const late = status.conditions?.find(({ type, status: is }) => type === 'Progressing' && is === 'False');
  if (late) return late.message ?? 'it made no progress';
  const done = replicas !== undefined && updatedReplicas === replicas && availableReplicas === replicas;
  return done ? 'done' : undefined;
}

/** The api rejects a request without a token, as a problem document: it is the product, with its guards. */
async function answers({ namespace }: Release): Promise<void> {
  await forwarded(namespace, 'api', 80, async (url) => {
    const { status, headers } = await fetch(`${url}/v1/users/me`, {
      signal: AbortSignal.timeout(10_000),
    }).catch((error: Error) => {
      throw new DeployFailure(`The api does not answer: ${error.message}`);
    });
    const type = headers.get('content-type') ?? '';
    if (status !== 401 || !type.startsWith('application/problem+json'))
      throw new DeployFailure(
        `GET /v1/users/me without a token got ${status} ${type}, and not the api's 401.`,
      );
  });
}

async function undo({ namespace }: Release): Promise<void> {
  for (const workload of WORKLOADS) {
    const said = await kubectl('-n', namespace, 'rollout', 'undo', `deployment/${workload}`).catch(
      (error: Error) => error.message,
    );
    say(`Undoing ${workload}: ${said.trim()}`);
  }
}
