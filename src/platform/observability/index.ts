export { installAccessLog } from './access-log.js';
export { createProcessLog, LoggingModule, nestLogger, type ProcessLog } from './logging.js';
export { HTTP_DURATION, MetricsModule } from './metrics.module.js';
