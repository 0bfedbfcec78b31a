import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { renderHtml } from './html.ts';
import type { NemesisReport } from './report.ts';

/** Writes both reports. @returns where they are */
export function writeReports(directory: string, report: NemesisReport): { json: string; html: string } {
  mkdirSync(directory, { recursive: true });
  const json = join(directory, 'nemesis.json');
  const html = join(directory, 'nemesis.html');
  writeFileSync(json, `${JSON.stringify(report, undefined, 2)}\n`);
  writeFileSync(html, renderHtml(report));
  return { json, html };
}
