import type { Workload } from '../workload.ts';
import { eventThroughput } from './event-throughput.workload.ts';
import { exportMillion } from './export-million.workload.ts';
import { featureCosts } from './feature-costs.workload.ts';
import { growth } from './growth.workload.ts';
import { login } from './login.workload.ts';
import { mailLatency } from './mail-latency.workload.ts';
import { orderList } from './order-list.workload.ts';
import { orderPlace } from './order-place.workload.ts';
import { orderRead } from './order-read.workload.ts';
import { plainRead } from './plain-read.workload.ts';
import { productRead } from './product-read.workload.ts';
import { startup } from './startup.workload.ts';
import { tracing } from './tracing.workload.ts';
import { twoWorkers } from './two-workers.workload.ts';

/** In the order in which they run. */
export const workloads: readonly Workload[] = [
  orderRead,
  orderList,
  plainRead,
  productRead,
  orderPlace,
  login,
  tracing,
  mailLatency,
  eventThroughput,
  growth,
  exportMillion,
  startup,
  twoWorkers,
  featureCosts,
];
