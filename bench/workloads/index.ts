import type { Subject } from '../subject.ts';
import type { Workload } from '../workload.ts';
import { eventThroughput } from './event-throughput.workload.ts';
import { exportMillion } from './export-million.workload.ts';
import { fastPaths } from './fast-paths.workload.ts';
import { featureCosts } from './feature-costs.workload.ts';
import { growth } from './growth.workload.ts';
import { list } from './list.workload.ts';
import { login } from './login.workload.ts';
import { mailLatency } from './mail-latency.workload.ts';
import { plainRead } from './plain-read.workload.ts';
import { readCached } from './read-cached.workload.ts';
import { read } from './read.workload.ts';
import { retention } from './retention.workload.ts';
import { startup } from './startup.workload.ts';
import { tracing } from './tracing.workload.ts';
import { twoWorkers } from './two-workers.workload.ts';
import { write } from './write.workload.ts';

/** In the order in which they run. */
export function workloadsOf(subject: Subject): readonly Workload[] {
  return [
    read(subject),
    list(subject),
    ...(subject.readPlain ? [plainRead(subject, subject.readPlain)] : []),
    readCached(subject),
    write(subject),
    login(subject),
    tracing(subject),
    mailLatency(subject),
    eventThroughput,
    growth(subject),
    ...(subject.exports ? [exportMillion(subject, subject.exports)] : []),
    startup,
    twoWorkers(subject),
    featureCosts(subject),
    fastPaths(subject),
    retention,
  ];
}
