import { STATUS_CODES } from 'node:http';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { LANGUAGES } from '../../src/languages/index.js';
import { explainedProblems, problemsIn } from './problem-codes.js';
import { Project } from './project.js';

const problems = problemsIn(new Project(join(import.meta.dirname, '../..')));
const explained = [...explainedProblems(problems)];
const codes = explained.map(([code]) => code);
/** A client never sees the others. */
const answered = explained.filter(([, { explanation = '' }]) => !/only in logs/i.test(explanation));
const statuses = [...new Set(explained.flatMap(([, { status }]) => status ?? [])), 500];

describe.each(Object.entries(LANGUAGES).filter(([tag]) => tag !== 'en'))('The language %s', (_, language) => {
  const keys = Object.keys(language.details);
  const covers = (key: string, code: string) =>
    key.startsWith('*') ? code.endsWith(key.slice(1)) : key === code;

  it('has a text for every problem that a client may see', () => {
    const without = answered.filter(
      ([code, { status }]) => !keys.some((key) => covers(key, code) || key === String(status)),
    );
    expect(without.map(([code]) => code)).toEqual([]);
  });

  it('has a title for every status of a problem', () => {
    expect(statuses.filter((status) => language.titles[status] === undefined)).toEqual([]);
  });

  it('has every text of the features, with the same values', () => {
    const valuesIn = (text: string) => [...new Set(text.match(/\{\w+\}/g))].toSorted();
    const shape = (texts: Record<string, string>) =>
      Object.fromEntries(Object.entries(texts).map(([key, text]) => [key, valuesIn(text)]));

    expect(shape(language.texts)).toEqual(shape(LANGUAGES.en?.texts ?? {}));
  });

  it('has no text for what is not there', () => {
    const known = (key: string) =>
      codes.some((code) => covers(key, code)) || statuses.map(String).includes(key);
    expect(keys.filter((key) => !known(key))).toEqual([]);
    expect(Object.keys(language.titles).filter((status) => !(status in STATUS_CODES))).toEqual([]);
  });
});
