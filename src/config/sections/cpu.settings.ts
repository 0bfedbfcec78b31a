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

  @Setting('CPU_THREADS_NICE', {
    default: 14,
    describe:
      'Nice value of these threads on Linux, so that they do not compete with the event loop for cores. 0 where the process has cores to spare.',
  })
  @IsInt()
  @Min(0)
  @Max(19)
  threadsNice!: number;
}
