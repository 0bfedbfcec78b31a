import { Global, Module } from '@nestjs/common';
import { CpuPool } from './cpu-pool.js';

/** The pool of threads for what takes the processor long: one per process, whoever uses it. */
@Global()
@Module({ providers: [CpuPool], exports: [CpuPool] })
export class CpuModule {}
