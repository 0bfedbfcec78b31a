export { runCommand } from './command.js';
export { httpService } from './http-service.js';
export { runProcess, type ProcessContext, type Service } from './process.js';
