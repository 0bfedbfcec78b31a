import type { RunResult, ScenarioResult } from '../results.ts';
import type { Table } from '../scenario-report.ts';
import { escapeHtml } from './escape.ts';
import { renderLines } from './line-plot.ts';
import { renderPlot } from './plot.ts';
import { style } from './style.ts';

/** The whole report as one self-contained file. */
export function renderHtml(run: RunResult): string {
  const held = run.scenarios.filter((scenario) => scenario.held).length;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Holdfast verify: ${held} of ${run.scenarios.length} promises held</title>
<style>${style}</style>
</head>
<body>
<h1>Holdfast under imperfect conditions</h1>
<p class="quiet">${escapeHtml(describeRun(run))}</p>
<p class="verdict ${run.held ? 'held' : 'broken'}">${held} of ${run.scenarios.length} promises held</p>
${settings(run)}
<table>
<thead><tr><th></th><th>scenario</th><th>promise</th><th>took</th></tr></thead>
<tbody>
${run.scenarios.map(overview).join('\n')}
</tbody>
</table>
${run.scenarios.map(renderScenario).join('\n')}
</body>
</html>
`;
}

function describeRun({ startedAt, durationMs, machine }: RunResult): string {
  const minutes = Math.floor(durationMs / 60_000);
  const seconds = Math.round((durationMs % 60_000) / 1_000);
  const took = minutes > 0 ? `${minutes} min ${seconds} s` : `${seconds} s`;
  const commit = machine.commit ? `, commit ${machine.commit}` : '';
  const memory = `${(machine.memoryMb / 1024).toFixed(0)} GB`;
  const when = `${startedAt.slice(0, 16).replace('T', ' ')} UTC`;
  return `${when}, ${took}, ${machine.cores} cores, ${memory}, Node ${machine.node}${commit}. The product, its servers and the load generator share this machine.`;
}

function settings({ env }: RunResult): string {
  const given = Object.entries(env).map(([name, value]) => `${name}=${value ?? ''}`);
  if (given.length === 0) return '';
  return `<p class="note">Not as shipped: <code>${escapeHtml(given.join(' '))}</code></p>`;
}

function overview({ name, promise, held, skipped, durationMs }: ScenarioResult): string {
  return (
    `<tr><td class="mark">${skipped === undefined ? mark(held) : '–'}</td><td><a href="#${name}">${name}</a></td>` +
    `<td>${escapeHtml(promise)}</td><td class="number">${Math.round(durationMs / 1_000)} s</td></tr>`
  );
}

function renderScenario(scenario: ScenarioResult): string {
  const { name, promise, held, durationMs, checks, figures, notes, skipped, error, evidence } = scenario;
  const { plots, linePlots, tables } = scenario;
  const rows = checks.map(
    (check) =>
      `<tr><td class="mark">${mark(check.held)}</td><td>${escapeHtml(check.statement)}</td>` +
      `<td>${escapeHtml(check.measured)}</td></tr>`,
  );
  const facts = figures.map(
    ({ label, value }) => `<div><dt>${escapeHtml(label)}</dt><dd>${escapeHtml(value)}</dd></div>`,
  );
  const seen = evidence.map(({ at, what }) => escapeHtml(`${at}  ${what}`));
  return `<section id="${name}">
<header>${skipped === undefined ? mark(held) : '–'}<h2>${name}</h2><span class="time">${Math.round(durationMs / 1_000)} s</span></header>
<p class="promise">${escapeHtml(promise)}</p>
${skipped === undefined ? '' : `<p class="note">Not tried: ${escapeHtml(skipped)}</p>`}
${error ? `<pre>${escapeHtml(error)}</pre>` : ''}
<table><thead><tr><th></th><th>must hold</th><th>measured</th></tr></thead><tbody>${rows.join('')}</tbody></table>
${facts.length > 0 ? `<dl>${facts.join('')}</dl>` : ''}
${tables.map(renderTable).join('\n')}
${notes.map((text) => `<p class="note">${escapeHtml(text)}</p>`).join('')}
${plots.map((plot) => `<h3>${escapeHtml(plot.title)}</h3>${legend}${renderPlot(plot)}`).join('\n')}
${linePlots.map((plot) => `<h3>${escapeHtml(plot.title)}</h3>${renderLines(plot)}`).join('\n')}
${seen.length > 0 ? `<details><summary>What failed, and what the product logged (${seen.length})</summary><pre>${seen.join('\n')}</pre></details>` : ''}
</section>`;
}

function renderTable({ title, head, rows }: Table): string {
  const cell = (tag: 'td' | 'th') => (text: string, i: number) =>
    `<${tag}${i > 0 ? ' class="number"' : ''}>${escapeHtml(text)}</${tag}>`;
  return `<h3>${escapeHtml(title)}</h3>
<table><thead><tr>${head.map(cell('th')).join('')}</tr></thead>
<tbody>${rows.map((row) => `<tr>${row.map(cell('td')).join('')}</tr>`).join('')}</tbody></table>`;
}

const legend = `<div class="legend">
<span><i style="background:var(--ok)"></i>served</span>
<span><i style="background:var(--refused)"></i>rejected (503 or 429 with Retry-After)</span>
<span><i style="background:var(--failed)"></i>failed</span>
<span><i class="line" style="background:var(--p50)"></i>p50</span>
<span><i class="line" style="background:var(--p99)"></i>p99</span>
<span><i style="background:var(--fault)"></i>fault</span>
</div>`;

export function mark(held: boolean): string {
  return held
    ? '<span class="held-mark" title="held">✓</span>'
    : '<span class="broken-mark" title="broken">✗</span>';
}
