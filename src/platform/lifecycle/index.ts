export { runCommand, runProcess, type ProcessContext, type Service } from './process.js';
