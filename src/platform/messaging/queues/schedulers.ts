import { Inject, Injectable, Logger } from '@nestjs/common';
import { Settings } from '../../../config/index.js';
import { Topology } from '../topology/topology.js';
import { Queues } from './queues.js';

/** Keeps BullMQ's job schedulers as `@Scheduled` declares them. They live in Redis, and go when it loses its data. */
@Injectable()
export class Schedulers {
  private readonly logger = new Logger(Schedulers.name);

  constructor(
    private readonly topology: Topology,
    private readonly queues: Queues,
    @Inject(Settings) private readonly settings: Settings,
  ) {}

  /** Makes those that are missing, corrects those that differ; any number of workers may do so at once. */
  async ensure(): Promise<void> {
    for (const { name, every, queue } of this.topology.schedules.values()) {
      const everyMs = typeof every === 'function' ? every(this.settings) : every;
      await this.queues
        .get(queue)
        .upsertJobScheduler(
          name,
          { every: everyMs },
          { name, opts: { attempts: 1, removeOnComplete: true, removeOnFail: true } },
        );
    }
  }

  /** Takes away what an earlier version has left behind; called at start only, as during a rollout the old version still runs. */
  async removeUnknown(): Promise<void> {
    for (const queueName of this.topology.consumers.keys()) {
      const queue = this.queues.get(queueName);
      for (const { key } of await queue.getJobSchedulers()) {
        if (this.topology.schedules.get(key)?.queue === queueName) continue;
        this.logger.log({ schedule: key, queue: queueName }, 'A schedule that no longer exists is removed');
        await queue.removeJobScheduler(key);
      }
    }
  }
}
