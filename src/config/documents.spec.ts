import { parseEnv } from 'node:util';
import { describe, expect, it } from 'vitest';
import { configurationPage, envExample } from '../../scripts/config-docs.js';
import { describeSettings, loadSettings } from './index.js';

/** File snapshots: `npm run docs` writes them anew. */
describe('the generated documents about the configuration', () => {
  it('.env.example is current', async () => {
    await expect(envExample(describeSettings())).toMatchFileSnapshot('../../.env.example');
  });

  it('docs/configuration.md is current', async () => {
    await expect(configurationPage(describeSettings())).toMatchFileSnapshot('../../docs/configuration.md');
  });

  it('.env.example changes nothing as it is, and is valid when all of it is uncommented', () => {
    const text = envExample(describeSettings());
    const uncommented = parseEnv(text.replaceAll(/^#(?=[A-Z])/gm, ''));

    expect(parseEnv(text)).toEqual({});
    expect(Object.keys(uncommented)).toHaveLength(
      describeSettings().flatMap(({ settings }) => settings).length,
    );
    expect(loadSettings(uncommented)).toEqual(loadSettings({}));
  });

  it.each(describeSettings().flatMap(({ settings }) => settings))(
    '$name is described in a sentence and has words for what it accepts',
    ({ describe: sentence, accepts }) => {
      expect(sentence).toMatch(/^[A-Za-z/].+[.]$/);
      expect(accepts).not.toContain('undefined');
    },
  );

  it('no two settings share a variable', () => {
    const names = describeSettings().flatMap(({ settings }) => settings.map(({ name }) => name));

    expect(new Set(names).size).toBe(names.length);
  });
});
