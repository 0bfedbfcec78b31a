import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { detailIn, isMultilingual, languageOf, speak, textIn, titleIn } from './languages.js';

const NONE = { titles: {}, details: {}, texts: {} };

beforeEach(() =>
  speak({
    en: { ...NONE, texts: { hello: 'Hello {name}', bye: 'Bye' } },
    de: {
      titles: { 404: 'Nicht gefunden' },
      details: {
        '*-not-found': 'Das gibt es nicht.',
        'key-not-found': 'Der Schlüssel fehlt.',
        503: 'Später wieder.',
        'too-few': 'Nur noch {available}.',
      },
      texts: { hello: 'Hallo {name}' },
    },
    'pt-BR': NONE,
  }),
);

afterEach(() => speak({}));

describe('The language of an answer', () => {
  it.each([
    [undefined, 'en'],
    ['', 'en'],
    ['*', 'en'],
    ['de', 'de'],
    ['DE', 'de'],
    ['de-CH', 'de'],
    ['de-Latn-AT-1996', 'de'],
    ['den', 'en'],
    ['fr, de;q=0.5', 'de'],
    ['en;q=0.5, de;q=0.9', 'de'],
    ['en, de', 'en'],
    ['de;q=0, en;q=0.1', 'en'],
    ['*;q=0.8, de;q=0.5', 'en'],
    ['pt-br', 'pt-BR'],
    ['pt', 'en'],
    ['de;q=high', 'en'],
    [';;,,q=1,-', 'en'],
    ['__proto__, constructor', 'en'],
    [`${'fr,'.repeat(5000)}de`, 'en'],
  ])('for Accept-Language %j is %s', (header, tag) => {
    expect(languageOf(header)).toBe(tag);
  });

  it('is not looked for where there is one', () => {
    speak({ en: NONE });
    expect([isMultilingual(), languageOf('de')]).toEqual([false, 'en']);
  });
});

const problem = (code: string, members: object, status = 404) => ({ status, code, members });

describe('A text', () => {
  it('is that of the code, of all codes that end like it, or of the status', () => {
    expect(detailIn('de', problem('mill-silent', {}, 503))).toBe('Später wieder.');
    expect(titleIn('de', 404)).toBe('Nicht gefunden');
    expect(detailIn('de', problem('key-not-found', {}))).toBe('Der Schlüssel fehlt.');
    expect(detailIn('de', problem('thing-not-found', {}))).toBe('Das gibt es nicht.');
  });

  it('has values in it', () => {
    expect(detailIn('de', problem('too-few', { available: 3 }))).toBe('Nur noch 3.');
  });

  it('stays English where the language has none, or a value for it is missing', () => {
    expect(titleIn('de', 409)).toBeUndefined();
    expect(detailIn('de', problem('taken', {}))).toBeUndefined();
    expect(detailIn('de', problem('too-few', {}))).toBeUndefined();
    expect(detailIn('en', problem('key-not-found', {}))).toBeUndefined();
  });

  it('of a feature has its values as they are, and English where the language has none', () => {
    expect(textIn('de', 'hello', { name: '{name} $&' })).toBe('Hallo {name} $&');
    expect(textIn('de', 'bye')).toBe('Bye');
    expect(textIn('it', 'hello', { name: 'Ada' })).toBe('Hello Ada');
    expect(() => textIn('de', 'hello')).toThrow('hello');
    expect(() => textIn('de', 'unknown')).toThrow('unknown');
  });
});
