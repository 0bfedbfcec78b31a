import { existsSync } from 'node:fs';

/** The environment of this process, completed from `.env` where there is one (variables that are set win). */
export function readEnvironment(): Record<string, string | undefined> {
  if (existsSync('.env')) process.loadEnvFile('.env');
  return process.env;
}
