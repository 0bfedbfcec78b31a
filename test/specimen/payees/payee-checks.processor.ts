import { Processor, WorkerHost } from '@nestjs/bullmq';
import { InjectRepository } from '@nestjs/typeorm';
import type { Job } from 'bullmq';
import { Repository } from 'typeorm';
import { Payee } from './payee.entity.js';

@Processor('payee-checks')
export class PayeeChecksProcessor extends WorkerHost {
  constructor(@InjectRepository(Payee) private readonly payees: Repository<Payee>) {
    super();
  }

  async process({ data: { ownerId, name } }: Job<Pick<Payee, 'ownerId' | 'name'>>): Promise<void> {
    await this.payees.increment({ ownerId, name }, 'checks', 1);
  }
}
