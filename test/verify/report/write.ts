import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { RunResult } from '../results.ts';
import { renderHtml } from './html.ts';

/** Writes both reports. @returns where they are */
export function writeReports(
  directory: string,
  name: string,
  result: RunResult,
): { json: string; html: string } {
  mkdirSync(directory, { recursive: true });
  const json = join(directory, `${name}.json`);
  const html = join(directory, `${name}.html`);
  writeFileSync(json, `${JSON.stringify(result, undefined, 2)}\n`);
  writeFileSync(html, renderHtml(result));
  return { json, html };
}
