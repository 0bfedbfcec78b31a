export { installAccessLog, installConnectionLog, installShedLog } from './access-log.js';
export { createProcessLog, LoggingModule, nestLogger, type ProcessLog } from './logging.js';
export { HTTP_CONNECTIONS_REFUSED, HTTP_DURATION, HTTP_SHED, MetricsModule } from './metrics.module.js';
export {
  currentTraceparent,
  reportTracingTo,
  stopTracing,
  traceRequests,
  traceStep,
  traceWork,
  type TracedWork,
} from './tracing/tracing.js';
