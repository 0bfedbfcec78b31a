export { runCommand } from './command.js';
export { httpService } from './http-service.js';
export { runProcess, type ProcessResources, type Service } from './process.js';
