import { existsSync } from 'node:fs';

/**
 * The environment of this process, completed from `.env` where there is one (variables that are set win).
 * @param file path of the file, relative to the working directory
 */
export function readEnvironment(file = '.env'): Record<string, string | undefined> {
  if (existsSync(file)) process.loadEnvFile(file);
  return process.env;
}
