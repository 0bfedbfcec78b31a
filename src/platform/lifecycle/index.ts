export { runCommand } from './command.js';
export type { FeatureCommands, Operator, Seed } from './operator.js';
export { httpService } from './http-service.js';
export { runProcess, type ProcessResources, type Service } from './process.js';
