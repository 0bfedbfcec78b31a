import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';

interface Step {
  uses?: string;
  run?: string;
  with?: Record<string, unknown>;
}
interface Job {
  permissions?: unknown;
  'timeout-minutes'?: number;
  'runs-on'?: string;
  needs?: string | string[];
  uses?: string;
  steps?: Step[];
}
interface Workflow {
  on?: unknown;
  permissions?: unknown;
  concurrency?: unknown;
  jobs?: Record<string, Job>;
}

/** What the files of a workflow may refer to. */
export interface Surroundings {
  root: string;
  scripts: readonly string[];
}

/** What actionlint does not see: who may do what with which credentials, and whether what is called exists. */
export function violations(text: string, { root, scripts }: Surroundings): string[] {
  const workflow = parse(text) as Workflow;
  const jobs = Object.entries(workflow.jobs ?? {});
  const found: string[] = [...pins(text)];
  if (JSON.stringify(workflow.permissions) !== '{}') found.push('the top has to say `permissions: {}`');
  if (workflow.concurrency === undefined) found.push('no `concurrency`: two runs would race');
  for (const event of ['pull_request_target', 'workflow_run'])
    if (JSON.stringify(workflow.on).includes(`"${event}"`))
      found.push(`${event} runs a stranger's change with the repository's credentials`);
  for (const [name, job] of jobs) {
    if (job.permissions === undefined) found.push(`${name}: no permissions of its own`);
    if (typeof job.permissions === 'string') found.push(`${name}: permissions have to be listed one by one`);
    if (job.uses === undefined && job['timeout-minutes'] === undefined)
      found.push(`${name}: no timeout-minutes`);
    if (job['runs-on']?.endsWith('-latest')) found.push(`${name}: runs-on changes by itself`);
    for (const step of job.steps ?? []) found.push(...ofStep(name, step, root, scripts));
  }
  return found;
}

function* ofStep(
  job: string,
  { uses, run, with: inputs }: Step,
  root: string,
  scripts: readonly string[],
): Generator<string> {
  if (uses?.startsWith('actions/checkout@') && inputs?.['persist-credentials'] !== false)
    yield `${job}: checkout leaves its credentials behind: persist-credentials: false`;
  if (uses?.startsWith('./') && !existsSync(join(root, uses, 'action.yml')))
    yield `${job}: ${uses} does not exist`;
  if (run === undefined) return;
  if (run.includes('${{'))
    yield `${job}: an expression in a script can be a stranger's code; hand it over as env`;
  if (/\bnpm (?:i|install)\b/.test(run)) yield `${job}: npm ci installs what the lockfile says`;
  if (/\b(?:curl|wget)\b[^\n]*\|\s*(?:ba)?sh\b/.test(run)) yield `${job}: it runs what it downloads`;
  for (const [, script = ''] of run.matchAll(/\bnpm run ([\w:-]+)/g))
    if (!scripts.includes(script)) yield `${job}: package.json has no script ${script}`;
  for (const [, path = ''] of run.matchAll(/(?:^|\s)(\.ci\/[\w./-]+)/g))
    if (!existsSync(join(root, path))) yield `${job}: ${path} does not exist`;
}

/** A tag can be moved to other code; the comment is what Renovate and people read. */
function* pins(text: string): Generator<string> {
  for (const [line, action = ''] of text.matchAll(/^\s*(?:- )?uses: (\S+).*$/gm))
    if (!action.startsWith('./') && !/@[0-9a-f]{40} # v\d+\.\d+\.\d+$/.test(line))
      yield `${action} is not pinned: @SHA # vX.Y.Z`;
}

/** Actions that several files use in several versions. */
export function disagreements(texts: readonly string[]): string[] {
  const versions = new Map<string, Set<string>>();
  for (const [, action = '', sha = ''] of texts.join('\n').matchAll(/uses: ([\w.-]+\/[\w.-]+)\S*@(\S+)/g))
    versions.set(action, (versions.get(action) ?? new Set()).add(sha));
  return [...versions].filter(([, shas]) => shas.size > 1).map(([action]) => action);
}
