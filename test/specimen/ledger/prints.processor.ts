import { Processor, WorkerHost } from '@nestjs/bullmq';
import { InjectRepository } from '@nestjs/typeorm';
import type { Job } from 'bullmq';
import { Repository } from 'typeorm';
import { Inbox } from '../../../src/platform/messaging/index.js';
import { Print } from './print.entity.js';

/** Nothing in the table keeps a copy from being counted twice: the inbox has to. */
@Processor('prints')
export class PrintsProcessor extends WorkerHost {
  constructor(
    @InjectRepository(Print) private readonly prints: Repository<Print>,
    private readonly inbox: Inbox,
  ) {
    super();
  }

  async process({ id, queueName, data }: Job<{ printId: string }, void, 'print'>): Promise<void> {
    await this.inbox.once({ id: id!, consumer: queueName }, async () => {
      await this.prints.increment({ id: data.printId }, 'copies', 1);
    });
  }
}
