import { InjectQueue } from '@nestjs/bullmq';
import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import type { Queue } from 'bullmq';
import { Repository } from 'typeorm';
import { newId, UnitOfWork } from '../../../src/platform/database/index.js';
import { ClientError } from '../../../src/platform/errors/index.js';
import { AccountsService } from './accounts.service.js';
import { Print } from './print.entity.js';

/** Statements on paper, as Nest's documentation would have them written: a repository, and a queue for the slow part. */
@Injectable()
export class PrintsService {
  constructor(
    @InjectRepository(Print) private readonly prints: Repository<Print>,
    @InjectQueue('prints') private readonly queue: Queue,
    private readonly accounts: AccountsService,
    private readonly unitOfWork: UnitOfWork,
  ) {}

  /** @throws ClientError 404 `account-not-found`, also for somebody else's */
  async order(ownerId: string, accountId: string): Promise<Print> {
    await this.accounts.requireOwn(ownerId, accountId);
    const print = this.prints.create({ id: newId(), accountId, copies: 0 });
    await this.unitOfWork.run(async () => {
      await this.prints.insert(print);
      await this.queue.add('print', { printId: print.id });
    });
    return print;
  }

  /** @throws ClientError 404 `account-not-found`, `print-not-found` */
  async get(ownerId: string, accountId: string, id: string): Promise<Print> {
    await this.accounts.requireOwn(ownerId, accountId);
    const print = await this.prints.findOneBy({ id, accountId });
    if (!print)
      throw new ClientError({ status: 404, code: 'print-not-found', detail: 'There is no such print.' });
    return print;
  }
}
