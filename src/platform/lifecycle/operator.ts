import type { INestApplicationContext } from '@nestjs/common';
import type { Command } from 'commander';

/** The input of a feature's commands. */
export interface Operator {
  /**
   * Runs a command with the services of the product, without serving or processing anything, and ends the process.
   * @param work takes services with `context.get(Service, { strict: false })`; returns the exit code
   */
  readonly run: (work: (context: INestApplicationContext) => Promise<number>) => Promise<void>;
  /** Prints one line on standard output: a command's result, as opposed to its log. */
  readonly print: (line: string) => void;
}

/** Adds the commands of a feature to the command line. */
export type FeatureCommands = (cli: Command, operator: Operator) => void;

/** Puts demo data of a feature into an empty database. @returns what it did, in a sentence */
export type Seed = (context: INestApplicationContext) => Promise<string>;
