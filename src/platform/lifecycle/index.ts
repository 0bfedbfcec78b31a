export { httpService } from './http-service.js';
export { runCommand, runProcess, type ProcessContext, type Service } from './process.js';
