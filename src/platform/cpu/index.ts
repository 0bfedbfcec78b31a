export { CpuPool } from './cpu-pool.js';
export { cpuTask, type CpuTask } from './cpu-task.js';
export { CpuModule } from './cpu.module.js';
