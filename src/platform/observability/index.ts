export { createProcessLog, LoggingModule, nestLogger, type ProcessLog } from './logging.js';
export {
  currentTraceparent,
  reportTracingTo,
  stopTracing,
  traceRequests,
  traceStep,
  traceWork,
  type TracedWork,
} from './tracing/tracing.js';
