import { PLACEHOLDER } from './placeholder.js';
import { settingsOf, type SettingDefinition } from './setting.decorator.js';

/**
 * Finds settings that are good enough for a developer's machine, and wrong in production: placeholders for secrets, defaults that
 * name a server on this machine, and connections that third parties can read.
 * @param sections the settings tree, each section an instance of its class
 * @param given names of the variables that are set
 * @param plaintext names of the variables whose connections may go unencrypted
 */
export function productionProblems(
  sections: object[],
  given: ReadonlySet<string>,
  plaintext: readonly string[],
): string[] {
  const known = new Set<string>();
  const problems: string[] = [];
  for (const section of sections) {
    for (const setting of settingsOf(section.constructor)) {
      if (setting.encrypted) known.add(setting.name);
      const value = (section as Record<string, unknown>)[setting.property];
      const problem = problemOf(setting, value, given, plaintext);
      if (problem !== undefined) problems.push(`${setting.name}: ${problem}`);
    }
  }
  for (const name of plaintext.filter((entry) => !known.has(entry))) {
    problems.push(`PLAINTEXT_CONNECTIONS: ${name} is not one of ${[...known].join(', ')}`);
  }
  return problems;
}

function problemOf(
  { name, secret, required, encrypted }: SettingDefinition,
  value: unknown,
  given: ReadonlySet<string>,
  plaintext: readonly string[],
): string | undefined {
  if (secret && String(value).includes(PLACEHOLDER)) {
    return 'still contains the development placeholder; set your own secret for production';
  }
  if (required && !given.has(name))
    return 'must be set when NODE_ENV=production; the default is for development';
  if (!encrypted || plaintext.includes(name)) return undefined;
  const urls = [value].flat().filter((url) => typeof url === 'string' && URL.canParse(url)) as string[];
  if (urls.every((url) => encrypted.isIn(new URL(url)))) return undefined;
  return `must be encrypted when NODE_ENV=production: ${encrypted.hint}; if the network is trusted, list it in PLAINTEXT_CONNECTIONS`;
}
