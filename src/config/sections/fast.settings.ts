import { IsArray, IsIn } from 'class-validator';
import { Setting } from '../setting.decorator.js';

/** Optimisations that go beyond ordinary code; docs/decisions/0015-fast-paths.md says what each of them does and gains. */
export const FAST_PATHS = [
  'batched-writes',
  'array-members',
  'shared-timer',
  'pg-callbacks',
  'pipelining',
] as const;

export type FastPath = (typeof FAST_PATHS)[number];

export class FastSettings {
  @Setting('FAST_PATHS_OFF', {
    default: [],
    describe:
      'Optimisations to switch off, to find out whether a fault is theirs: `batched-writes`, `array-members`, `shared-timer`, `pg-callbacks`, `pipelining`.',
  })
  @IsArray()
  @IsIn(FAST_PATHS, { each: true })
  off!: FastPath[];
}
