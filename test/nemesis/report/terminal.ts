import type { Operation } from '../history.ts';
import { certainty, describeCause, describeSteps } from '../shrink.ts';
import type { ReportedSchedule } from './report.ts';

const MOST_OPERATIONS = 20;
const MOST_LINES = 15;

/**
 * What is printed about a broken schedule: everything that is needed to see what happened, and to see it again.
 * @param replay the command's argument, for example `--replay reports/nemesis.json`
 */
export function describeBroken(broken: ReportedSchedule, replay: string): string[] {
  const { schedule, shrunk } = broken;
  const shortest = shrunk
    ? [
        `  The shortest schedule that still breaks ${shrunk.invariant}: ${describeCause(shrunk)}`,
        `  (${certainty(shrunk)})`,
      ]
    : [`  Schedule: ${describeSteps(schedule)}`];
  return [
    `Seed ${schedule.seed} breaks a promise of ${schedule.product}.`,
    ...shortest,
    ...broken.invariants.filter(({ violated }) => violated > 0).flatMap(describeInvariant),
    `  Once more: npm run verify -- --nemesis ${replay}`,
  ];
}

function describeInvariant({
  statement,
  counted,
  violated,
  violations,
}: ReportedSchedule['invariants'][number]): string[] {
  const [first, ...others] = violations;
  const lines = [`  Broken: ${statement} (${counted}; violated ${violated} times)`];
  if (!first) return lines;
  lines.push(`    ${first.what}`);
  if (first.operations.length > 0) lines.push('    What clients saw:');
  for (const operation of first.operations.slice(0, MOST_OPERATIONS))
    lines.push(`      ${describeOperation(operation)}`);
  if (first.log.length > 0) lines.push('    What was logged about it:');
  for (const line of first.log.slice(0, MOST_LINES)) lines.push(`      ${line}`);
  for (const { what } of others) lines.push(`    ${what}`);
  return lines;
}

function describeOperation(operation: Operation): string {
  const { invokedAt, completedAt, client, kind, object, key, outcome, status, error, requestId } = operation;
  const time = `${Math.round(invokedAt)}..${completedAt === undefined ? '' : Math.round(completedAt)} ms`;
  const named = [
    object,
    key === undefined ? undefined : `key ${key}`,
    requestId === undefined ? undefined : `request ${requestId}`,
  ];
  const said = [outcome, status, error];
  return [time, client, kind, ...named, ...said].filter((part) => part !== undefined).join(' ');
}
