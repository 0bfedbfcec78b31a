import { Global, Module } from '@nestjs/common';
import { CpuPool } from './cpu-pool.js';

/** The pool of threads for long computations: one per process, shared by all features. */
@Global()
@Module({ providers: [CpuPool], exports: [CpuPool] })
export class CpuModule {}
