import { Inject, Injectable, Logger } from '@nestjs/common';
import { getNextMillis, type Job, type JobSchedulerJson, type Queue } from 'bullmq';
import { Settings } from '../../../config/index.js';
import { Topology, type ScheduleEntry } from '../topology/topology.js';
import { QueueConnections } from '../queues/queue-connections.js';
import { Queues } from '../queues/queues.js';

/** How far the clocks of workers may differ before one counts as wrong. Milliseconds. */
const CLOCK_TOLERANCE_MS = 10_000;
/** BullMQ sorts delayed jobs by their time in the upper bits of a double, and by their order in the lower twelve. */
const DELAYED_SCORE_FACTOR = 0x1000;
const STRANDED_AT_ONCE = 1000;

/**
 * Keeps BullMQ's job schedulers as `@Scheduled` declares them. They are kept in Redis, are lost with its data, and have the times
 * of workers' clocks: one worker that was 8 days ahead for 8 seconds stopped every schedule for 8 days. So all of them are
 * checked repeatedly, by the clock of Redis, which all workers share. A schedule that this version does not know is never
 * removed: the version that knows it may run beside it.
 */
@Injectable()
export class Schedulers {
  private readonly logger = new Logger(Schedulers.name);
  private readonly runsKey: string;
  /** When each one last ran, by `performance.now()`; the start of this process when that is unknown. */
  private readonly lastRuns = new Map<string, number>();
  private readonly madeAnewAt = new Map<string, number>();

  constructor(
    private readonly topology: Topology,
    private readonly queues: Queues,
    private readonly connections: QueueConnections,
    @Inject(Settings) private readonly settings: Settings,
  ) {
    this.runsKey = `${settings.redis.prefix}:schedule-runs`;
  }

  /**
   * Creates each as this version declares it, and removes those declared as retired; for the start, and for a Redis that lost its
   * data.
   */
  async declare(): Promise<void> {
    await this.mend();
    for (const schedule of this.topology.schedules.values()) {
      const { every, pattern, tz } = this.timing(schedule);
      const found = await this.queues.get(schedule.queue).getJobScheduler(schedule.name);
      // A correct schedule is left alone: if it were recreated, a pattern whose run is due this second would wait for the next.
      if (!found || found.every !== every || found.pattern !== pattern || found.tz !== tz)
        await this.make(schedule);
    }
    for (const { name, queue } of this.topology.retiredSchedules) {
      if (await this.queues.get(queue).removeJobScheduler(name))
        this.logger.log({ schedule: name, queue }, 'A retired schedule was removed');
    }
  }

  /** Recreates those that are missing and those that a wrong clock has stopped; any number of workers may do so at once. */
  async mend(): Promise<void> {
    const now = await this.redisNow();
    for (const schedule of this.topology.schedules.values()) {
      const queue = this.queues.get(schedule.queue);
      const found = await queue.getJobScheduler(schedule.name);
      if (found) {
        if (!(await this.isStopped(queue, schedule, found, now))) continue;
        this.logger.warn(
          { schedule: schedule.name, next: found.next, now },
          'A schedule that a wrong clock had stopped was recreated',
        );
        this.madeAnewAt.set(schedule.name, performance.now());
        await queue.removeJobScheduler(schedule.name);
      }
      await this.make(schedule);
    }
    for (const queue of [...this.topology.consumers.keys(), ...this.topology.plainQueues])
      await this.promoteStranded(this.queues.get(queue), now);
    await this.readRuns(now);
  }

  /** Notes that a schedule has run, for all workers. */
  async ran(name: string): Promise<void> {
    this.lastRuns.set(name, performance.now());
    await this.connections.producer.hset(this.runsKey, name, await this.redisNow());
  }

  /** Seconds since each schedule last ran in any worker, as far as is known; it keeps growing while Redis is down. */
  *ages(): Generator<[name: string, seconds: number]> {
    const now = performance.now();
    for (const name of this.topology.schedules.keys())
      yield [name, Math.max(0, (now - (this.lastRuns.get(name) ?? 0)) / 1000)];
  }

  private async make(schedule: ScheduleEntry): Promise<void> {
    const { name, queue } = schedule;
    const opts = { attempts: 1, removeOnComplete: true, removeOnFail: true };
    await this.queues.get(queue).upsertJobScheduler(name, this.timing(schedule), { name, opts });
  }

  /** Whether its next run is too far ahead, or was due and no worker promoted it: then the clocks of all workers are behind. */
  private async isStopped(
    queue: Queue,
    schedule: ScheduleEntry,
    // The stored interval, not the declared one: during a rollout the other version may have another interval.
    { next = 0, every = 0, pattern, tz }: JobSchedulerJson,
    now: number,
  ): Promise<boolean> {
    const latest = now + CLOCK_TOLERANCE_MS;
    if (next > (pattern === undefined ? latest + every : getNextMillis(latest, { pattern, tz })!))
      return true;
    if (next > now - CLOCK_TOLERANCE_MS) return false;
    // A recreated schedule runs at once: no more often than it should.
    if (performance.now() - (this.madeAnewAt.get(schedule.name) ?? -Infinity) < every) return false;
    const job = (await queue.getJob(`repeat:${schedule.name}:${next}`)) as Job | undefined;
    if (!job) return true;
    if (!(await job.isDelayed())) return false;
    if (pattern === undefined) return true;
    // A recreated pattern waits for its next time, perhaps a day: the overdue run takes place now, once.
    await job.promote();
    return false;
  }

  /** A worker whose clock is ahead postpones a failed event by as much: such events are due now. */
  private async promoteStranded(queue: Queue, now: number): Promise<void> {
    const latest = (now + this.settings.messaging.backoffMaxMs + CLOCK_TOLERANCE_MS) * DELAYED_SCORE_FACTOR;
    const found = await this.connections.producer.zrange(
      queue.toKey('delayed'),
      `(${latest}`,
      '+inf',
      'BYSCORE',
      'LIMIT',
      0,
      STRANDED_AT_ONCE,
      'WITHSCORES',
    );
    let stranded = 0;
    for (let i = 0; i < found.length; i += 2) {
      const [id, score] = [found[i]!, Number(found[i + 1])];
      // Runs of schedules are handled above, by the version that knows them.
      const job = id.startsWith('repeat:') ? undefined : ((await queue.getJob(id)) as Job | undefined);
      // Its own backoff or delay may be that long.
      if (!job || score / DELAYED_SCORE_FACTOR - job.delay <= now + CLOCK_TOLERANCE_MS) continue;
      stranded += 1;
      // Another worker may have been faster.
      await job.promote().catch(() => undefined);
    }
    if (stranded > 0)
      this.logger.warn(
        { queue: queue.name, events: stranded },
        'Events delayed by a wrong clock are due now',
      );
  }

  private async readRuns(now: number): Promise<void> {
    const runs = await this.connections.producer.hgetall(this.runsKey);
    const localNow = performance.now();
    for (const [name, at] of Object.entries(runs)) {
      const local = localNow - (now - Number(at));
      if (local > (this.lastRuns.get(name) ?? -Infinity)) this.lastRuns.set(name, local);
    }
  }

  private timing(schedule: ScheduleEntry): { every?: number; pattern?: string; tz?: string } {
    if ('pattern' in schedule) return { pattern: schedule.pattern, tz: schedule.timeZone ?? 'UTC' };
    const { every } = schedule;
    return { every: typeof every === 'function' ? every(this.settings) : every };
  }

  /** Milliseconds of the clock of Redis, the one that all workers share. */
  private async redisNow(): Promise<number> {
    const [seconds, microseconds] = await this.connections.producer.time();
    return Number(seconds) * 1000 + Math.floor(Number(microseconds) / 1000);
  }
}
