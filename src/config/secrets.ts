import { settingsOf } from './setting.decorator.js';
import type { Settings } from './settings.js';

/** Shorter ones would match parts of unrelated words. */
const SHORTEST = 6;

/** The texts of these settings that must not appear in any output: every secret, and the password in a connection's URL. */
export function secretTexts(settings: Settings): string[] {
  const found = new Set<string>();
  for (const section of Object.values(settings) as object[]) {
    for (const { property, secret } of settingsOf(section.constructor)) {
      const value = (section as Record<string, unknown>)[property];
      for (const text of Array.isArray(value) ? value : [value]) {
        if (typeof text !== 'string') continue;
        const url = URL.parse(text);
        if (url) for (const part of [url.password, decoded(url.password)]) found.add(part);
        else if (secret) found.add(text);
      }
    }
  }
  return [...found].filter(({ length }) => length >= SHORTEST);
}

/** A function that replaces every one of `secrets` in a text, also where it stands in JSON or in a URL. */
export function redactor(secrets: string[]): (text: string) => string {
  if (secrets.length === 0) return (text) => text;
  const spellings = new Set(
    secrets.flatMap((secret) => [secret, JSON.stringify(secret).slice(1, -1), encodeURIComponent(secret)]),
  );
  // Longest first: a secret may be the prefix of another.
  const longestFirst = [...spellings].toSorted((a, b) => b.length - a.length);
  const any = new RegExp(
    longestFirst.map((spelling) => spelling.replaceAll(/[^\w-]/g, '\\$&')).join('|'),
    'g',
  );
  return (text) => text.replace(any, '[redacted]');
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
