/** What is said in one language. */
export interface Language {
  /** Titles of problem documents, by status. */
  titles: Partial<Record<number, string>>;
  /**
   * Details of problem documents, by code. `*-not-found` stands for all codes that end so and have no entry, `503` for all others of
   * this status. `{member}` is a member of the document; while it has none of that name, its detail stays English.
   */
  details: Record<string, string>;
  /** What features say elsewhere, such as in mails, by key. `{name}` is a value that the caller gives. */
  texts: Record<string, string>;
}

/** The language of the code: what a catalogue lacks is said in it. */
export const DEFAULT_LANGUAGE = 'en';

/** Ranges of an `Accept-Language` that are read; a browser sends five or six. */
const MOST_RANGES = 20;

let languages: ReadonlyMap<string, Language> = new Map();

/** Sets the languages of this process, by tag (BCP 47). Call it before the application is created. */
export function speak(spoken: Record<string, Language>): void {
  languages = new Map(Object.entries(spoken));
}

/** Whether an answer depends on `Accept-Language` at all. */
export function isMultilingual(): boolean {
  return languages.size > 1;
}

/**
 * The tag of the language to answer in: that of the best range which is spoken here, where `de` serves `de-CH` too (RFC 4647
 * section 3.4, "lookup").
 */
export function languageOf(acceptLanguage: string | undefined): string {
  if (acceptLanguage === undefined || !isMultilingual()) return DEFAULT_LANGUAGE;
  const ranges = acceptLanguage
    .split(',', MOST_RANGES)
    .map((range) => {
      const [tag = '', quality] = range.split(';');
      return { tag: tag.trim(), quality: Number(/^\s*q=([\d.]+)\s*$/.exec(quality ?? 'q=1')?.[1] ?? 0) };
    })
    .filter(({ quality }) => quality > 0)
    // Stable: of equal ones the first.
    .toSorted((a, b) => b.quality - a.quality);
  for (const { tag } of ranges) {
    if (tag === '*') return DEFAULT_LANGUAGE;
    const spoken = lookUp(tag);
    if (spoken !== undefined) return spoken;
  }
  return DEFAULT_LANGUAGE;
}

function lookUp(tag: string): string | undefined {
  const parts = tag.toLowerCase().split('-', 8);
  for (; parts.length > 0; parts.pop()) {
    const shorter = parts.join('-');
    for (const spoken of languages.keys()) if (spoken.toLowerCase() === shorter) return spoken;
  }
  return undefined;
}

/** The title of a status; undefined where the language has none. */
export function titleIn(language: string, status: number): string | undefined {
  return languages.get(language)?.titles[status];
}

/** The detail of a problem; undefined where the language has none, or a value for it is missing. */
export function detailIn(
  language: string,
  { status, code, members }: { status: number; code: string; members: object },
): string | undefined {
  const { details = {} } = languages.get(language) ?? {};
  const text =
    details[code] ?? Object.entries(details).find(([key]) => isEndOf(code, key))?.[1] ?? details[status];
  return text === undefined ? undefined : filled(text, members);
}

function isEndOf(code: string, key: string): boolean {
  return key.startsWith('*') && code.endsWith(key.slice(1));
}

/** A text of a feature, in English where the language has none. @throws Error for a key or a value that is missing: a bug */
export function textIn(language: string, key: string, values: object = {}): string {
  const text = languages.get(language)?.texts[key] ?? languages.get(DEFAULT_LANGUAGE)?.texts[key];
  const whole = text === undefined ? undefined : filled(text, values);
  if (whole === undefined) throw new Error(`No text for ${key}, or a value for it is missing`);
  return whole;
}

/** @returns undefined when a value is missing */
function filled(text: string, values: object): string | undefined {
  let isWhole = true;
  const known = new Map(Object.entries(values));
  const result = text.replaceAll(/\{(\w+)\}/g, (_, name: string) => {
    const value: unknown = known.get(name);
    isWhole &&= typeof value === 'string' || typeof value === 'number';
    return String(value);
  });
  return isWhole ? result : undefined;
}
