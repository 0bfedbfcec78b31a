import { escapeHtml } from '../../verify/report/escape.ts';
import { mark } from '../../verify/report/html.ts';
import { style } from '../../verify/report/style.ts';
import type { Operation } from '../history.ts';
import { certainty, describeCause } from '../shrink.ts';
import { describeTimes, totalOf } from '../stopwatch.ts';
import type { NemesisReport, ReportedEvidence, ReportedInvariant, ReportedSchedule } from './report.ts';
import { renderTimeline } from './timeline-plot.ts';

const ownStyle = `
rect.bar { fill: var(--failed); opacity: 0.75; }
pre.log { max-height: 320px; overflow: auto; }
summary .quiet { margin-left: 10px; }
`;

/** The whole report as one self-contained file. */
export function renderHtml(report: NemesisReport): string {
  const { schedules } = report;
  const held = schedules.filter((schedule) => schedule.held).length;
  const verdict = `${held} of ${schedules.length} schedules held`;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Holdfast nemesis: ${verdict}</title>
<style>${style}${ownStyle}</style>
</head>
<body>
<h1>The nemesis: a seeded search for broken promises</h1>
<p class="quiet">${escapeHtml(describeRun(report))}</p>
<p class="verdict ${report.held ? 'held' : 'broken'}">${verdict}</p>
${report.sabotage ? `<p class="note">Sabotaged on purpose: <code>${escapeHtml(report.sabotage)}</code></p>` : ''}
<table>
<thead><tr><th></th><th>seed</th><th>product</th><th>faults</th><th>requests</th><th>served</th><th>refused</th><th>unknown</th><th>broken</th></tr></thead>
<tbody>
${schedules.map(overview).join('\n')}
</tbody>
</table>
${schedules.map(renderSchedule).join('\n')}
${catalogue(report)}
</body>
</html>
`;
}

function describeRun({ startedAt, durationMs, machine, schedules }: NemesisReport): string {
  const total = schedules.reduce(
    (sum, { counts }) => ({
      faults: sum.faults + counts.faults,
      requests: sum.requests + requestsOf(counts),
    }),
    { faults: 0, requests: 0 },
  );
  const commit = machine.commit ? `, commit ${machine.commit}` : '';
  return (
    `${startedAt.slice(0, 16).replace('T', ' ')} UTC, ${(durationMs / 60_000).toFixed(1)} min, ` +
    `${schedules.length} schedules, ${total.faults} faults, ${total.requests} requests; ` +
    `${machine.cores} cores, Node ${machine.node}${commit}`
  );
}

function requestsOf({ ok, refused, unknown }: ReportedSchedule['counts']): number {
  return ok + refused + unknown;
}

function overview(schedule: ReportedSchedule, index: number): string {
  const { counts, held } = schedule;
  const broken = schedule.invariants.filter(({ violated }) => violated > 0).map(({ name }) => name);
  const numbers = [counts.faults, requestsOf(counts), counts.ok, counts.refused, counts.unknown];
  return (
    `<tr><td class="mark">${mark(held)}</td><td><a href="#s${index}">${schedule.schedule.seed}</a></td>` +
    `<td>${escapeHtml(schedule.schedule.product)}</td>` +
    numbers.map((number) => `<td class="number">${number}</td>`).join('') +
    `<td>${escapeHtml(broken.join(', '))}</td></tr>`
  );
}

function renderSchedule(schedule: ReportedSchedule, index: number): string {
  const { seed, product, lasts } = schedule.schedule;
  const body = `${legend}
${renderTimeline(schedule)}
<table><thead><tr><th></th><th>must hold</th><th>counted</th></tr></thead>
<tbody>${schedule.invariants.map(renderVerdict).join('')}</tbody></table>
${schedule.shrunk ? renderShrunk(schedule.shrunk) : ''}
${schedule.invariants.flatMap(({ name, violations }) => violations.map((one) => renderEvidence(name, one))).join('\n')}
<details><summary>Steps (${schedule.schedule.steps.length})</summary><pre>${steps(schedule)}</pre></details>`;
  return `<section id="s${index}">
<header>${mark(schedule.held)}<h2>Seed ${seed}</h2><span class="quiet">${escapeHtml(product)}, ${Math.round(lasts / 1_000)} s of load</span>
<span class="time" title="${escapeHtml(describeTimes(schedule.spent))}">${Math.round(totalOf(schedule.spent) / 1_000)} s</span></header>
${schedule.held ? `<details><summary>How it went</summary>${body}</details>` : body}
</section>`;
}

function renderVerdict({ statement, counted, violated, violations }: ReportedInvariant): string {
  const more = violated > violations.length ? ` (the first ${violations.length} below)` : '';
  const violation = violated === 0 ? '' : `<br><strong>violated ${violated} times</strong>${more}`;
  return (
    `<tr><td class="mark">${mark(violated === 0)}</td><td>${escapeHtml(statement)}${violation}</td>` +
    `<td>${escapeHtml(counted)}</td></tr>`
  );
}

function renderShrunk(shrunk: NonNullable<ReportedSchedule['shrunk']>): string {
  return `<h3>The shortest schedule that still breaks ${escapeHtml(shrunk.invariant)}</h3>
<pre>${escapeHtml(describeCause(shrunk))}</pre><p class="note">${escapeHtml(certainty(shrunk))}</p>`;
}

function renderEvidence(invariant: string, { what, operations, log }: ReportedEvidence): string {
  const rows = operations.map((operation) => `<tr>${cells(operation)}</tr>`).join('');
  const history = `<table><thead><tr><th>ms</th><th>client</th><th>operation</th><th>outcome</th><th>said</th></tr></thead><tbody>${rows}</tbody></table>`;
  return `<h3>${escapeHtml(`${invariant}: ${what}`)}</h3>
${operations.length > 0 ? history : ''}
${log.length > 0 ? `<pre class="log">${escapeHtml(log.join('\n'))}</pre>` : ''}`;
}

function cells(operation: Operation): string {
  const { client, kind, object, at, input, invokedAt, completedAt, outcome, status, error, value } =
    operation;
  const time = `${Math.round(invokedAt)} .. ${completedAt === undefined ? '' : Math.round(completedAt)}`;
  const asked = `${kind} ${object ?? ''} ${JSON.stringify(input) ?? ''} at ${at}`;
  const said = [status, error, value === undefined ? undefined : JSON.stringify(value)].filter(
    (part) => part !== undefined,
  );
  return [time, client, asked, outcome, said.join(' ')]
    .map((text) => `<td>${escapeHtml(text)}</td>`)
    .join('');
}

function steps({ schedule }: ReportedSchedule): string {
  return schedule.steps.map((step) => escapeHtml(JSON.stringify(step))).join('\n');
}

function catalogue({ faults, unavailable }: NemesisReport): string {
  const list = Object.entries(faults).map(
    ([name, what]) => `<tr><td>${escapeHtml(name)}</td><td>${escapeHtml(what)}</td></tr>`,
  );
  const missing = Object.entries(unavailable).map(
    ([name, why]) => `<p class="note">Not tried: ${escapeHtml(`${name}: ${why}`)}</p>`,
  );
  return `<details><summary>The faults (${list.length})</summary><table>${list.join('')}</table></details>${missing.join('')}`;
}

const legend = `<div class="legend">
<span><i style="background:var(--ok)"></i>served</span>
<span><i style="background:var(--refused)"></i>refused, nothing done</span>
<span><i style="background:var(--failed)"></i>outcome unknown to the client</span>
<span><i style="background:var(--fault)"></i>fault</span>
</div>`;
