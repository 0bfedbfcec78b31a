import { IsInt, Max, Min } from 'class-validator';
import { Setting } from '../setting.decorator.js';

export class CpuSettings {
  @Setting('CPU_THREADS', {
    default: 0,
    describe: 'Threads for CPU-heavy work such as hashing passwords. 0: one per core.',
  })
  @IsInt()
  @Min(0)
  @Max(64)
  threads!: number;
}
