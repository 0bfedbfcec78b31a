import { IsInt, Max, Min } from 'class-validator';
import { Setting } from '../setting.decorator.js';

export class CpuSettings {
  @Setting('CPU_THREADS', {
    default: 0,
    describe:
      'Threads for work that takes the processor for milliseconds, such as hashing passwords. 0: as many as the machine has cores.',
  })
  @IsInt()
  @Min(0)
  @Max(64)
  threads!: number;
}
