import { parseEnv } from 'node:util';
import { describe, expect, it } from 'vitest';
import { describeSettings, loadSettings } from '../src/config/index.js';
import { PRODUCT } from '../src/product.js';
import { configurationPage, envExample } from './config-docs.js';

const sections = describeSettings(PRODUCT);

/** File snapshots: `npm run docs` writes them anew. */
describe('the generated documents about the configuration', () => {
  it('.env.example is current', async () => {
    await expect(envExample(sections)).toMatchFileSnapshot('../.env.example');
  });

  it('docs/configuration.md is current', async () => {
    await expect(configurationPage(sections, PRODUCT.title)).toMatchFileSnapshot('../docs/configuration.md');
  });

  it('.env.example changes nothing as it is, and is valid when it is uncommented', () => {
    const text = envExample(sections);
    const uncommented = parseEnv(text.replaceAll(/^#(?=[A-Z])/gm, ''));

    expect(parseEnv(text)).toEqual({});
    expect(Object.keys(uncommented)).toHaveLength(sections.flatMap(({ settings }) => settings).length);
    expect(loadSettings(uncommented, PRODUCT)).toEqual(loadSettings({}, PRODUCT));
  });

  it.each(sections.flatMap(({ settings }) => settings))(
    '$name is described in a sentence and has words for what it accepts',
    ({ describe: sentence, accepts }) => {
      expect(sentence).toMatch(/^[A-Za-z/].+[.]$/);
      expect(accepts).not.toContain('undefined');
    },
  );

  it('no two settings share a variable', () => {
    const names = sections.flatMap(({ settings }) => settings.map(({ name }) => name));

    expect(new Set(names).size).toBe(names.length);
  });
});
