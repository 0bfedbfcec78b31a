import { setTimeout as delay } from 'node:timers/promises';
import { Logger } from '@nestjs/common';
import { TransientError } from '../errors/index.js';

/** How often what a start needs of PostgreSQL is tried, connecting included, and the milliseconds between two attempts. */
export const AT_START = { retryAttempts: 10, retryDelay: 1000 };

/**
 * Runs what a process needs of PostgreSQL before it is ready. One slow moment of a busy machine must not end it: several processes
 * often start at once.
 */
export async function atStart<T>(work: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof TransientError) || attempt === AT_START.retryAttempts) throw error;
      new Logger('Start').warn({ err: error }, 'PostgreSQL did not answer in time; trying again');
      await delay(AT_START.retryDelay);
    }
  }
}
