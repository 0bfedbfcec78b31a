import type { Testbed } from '../testbed/testbed.ts';
import { httpClient } from '../../local/http.ts';
import { headersOf } from './requests.ts';
import type { RequestTemplate } from '../../local/requests.ts';

/** Enough to distinguish statements of each request from occasional ones. */
const REQUESTS = 20;

interface Seen {
  /** Statements and how often each was sent for `REQUESTS` requests. */
  statements: string[];
  answers: string[];
}

/** What has to be equal on both sides. */
export interface Sameness {
  /** Not when one of them answers from a cache. */
  statements: boolean;
  /** The bodies; not when each request creates something new. */
  answers: boolean;
}

/**
 * Sends the same requests to both sides and lets PostgreSQL report the statements: the comparison is fair only while both send
 * the same statements, equally often. A change of the product's SQL fails here until the reference follows.
 */
export async function assertSame(
  testbed: Testbed,
  sides: { name: string; url: string }[],
  requests: readonly RequestTemplate[],
  same: Sameness,
): Promise<void> {
  await testbed.sql.query('CREATE EXTENSION IF NOT EXISTS pg_stat_statements');
  await track(testbed, 'top');
  const seen: Seen[] = [];
  for (const { url } of sides) seen.push(await see(testbed, url, requests.slice(0, REQUESTS)));
  await track(testbed, 'none');
  const [first, ...others] = seen as [Seen, ...Seen[]];
  for (const [index, other] of others.entries()) {
    const pair = `${sides[0]?.name} and ${sides[index + 1]?.name}`;
    if (same.statements)
      compare(first.statements, other.statements, `${pair} do not send the same statements`);
    if (same.answers) compare(first.answers, other.answers, `${pair} do not return the same answers`);
  }
}

async function see(testbed: Testbed, url: string, requests: readonly RequestTemplate[]): Promise<Seen> {
  const http = httpClient(url);
  const send = async (request: RequestTemplate): Promise<string> => {
    const { method, path, body } = request;
    const answer = await http.request(method, path, { body, headers: headersOf(request) });
    if (answer.status >= 300) throw new Error(`${url}${path} answered ${answer.status}: ${answer.text}`);
    return answer.text;
  };
  // Connections are opened and caches filled by the first ones.
  for (const request of requests) await send(request);
  await testbed.sql.query('SELECT pg_stat_statements_reset()');
  const answers: string[] = [];
  for (const request of requests) answers.push(await send(request));
  const { rows } = await testbed.sql.query<{ statement: string }>(
    `SELECT calls || ' x ' || queryid || ' ' || regexp_replace(query, '\\s+', ' ', 'g') AS statement
     FROM pg_stat_statements WHERE calls >= $1 ORDER BY queryid`,
    [requests.length],
  );
  return { statements: rows.map(({ statement }) => statement), answers };
}

async function track(testbed: Testbed, what: 'top' | 'none'): Promise<void> {
  await testbed.sql.query(`ALTER SYSTEM SET pg_stat_statements.track = '${what}'`);
  await testbed.sql.query('SELECT pg_reload_conf()');
  // Sessions read their settings again between two statements, soon after the signal.
  await testbed.sql.query('SELECT pg_sleep(0.2)');
}

function compare(ours: string[], theirs: string[], complaint: string): void {
  const key = (line: string): string => line.split(' ', 3).join(' ');
  const only = (some: string[], others: string[]): string[] => {
    const known = new Set(others.map(key));
    return some.filter((line) => !known.has(key(line))).map((line) => `  ${line.slice(0, 300)}`);
  };
  const [first, second] = [only(ours, theirs), only(theirs, ours)];
  if (first.length + second.length === 0) return;
  throw new Error([complaint, 'only the first:', ...first, 'only the second:', ...second].join('\n'));
}
