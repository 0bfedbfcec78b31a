import { InjectQueue } from '@nestjs/bullmq';
import { Injectable, NotFoundException } from '@nestjs/common';
import { InjectDataSource, InjectRepository } from '@nestjs/typeorm';
import type { Queue } from 'bullmq';
import { DataSource, Repository } from 'typeorm';
import { Payee } from './payee.entity.js';

@Injectable()
export class PayeesService {
  constructor(
    @InjectRepository(Payee) private readonly payees: Repository<Payee>,
    @InjectDataSource() private readonly dataSource: DataSource,
    @InjectQueue('payee-checks') private readonly checks: Queue,
  ) {}

  list(ownerId: string): Promise<Payee[]> {
    const { manager } = this.dataSource.createQueryRunner('slave');
    return manager
      .withRepository(this.payees)
      .find({ where: { ownerId }, order: { place: 'ASC', name: 'ASC' } });
  }

  add(ownerId: string, name: string): Promise<Payee> {
    return this.dataSource.transaction(async (manager) => {
      await this.checks.add('check', { ownerId, name });
      return manager.save(Payee, { ownerId, name });
    });
  }

  sort(ownerId: string, ids: string[]): Promise<void> {
    return this.dataSource.transaction(async (manager) => {
      for (const [place, id] of ids.entries()) {
        const { affected } = await manager.update(Payee, { id, ownerId }, { place });
        if (affected === 0) throw new NotFoundException(`There is no payee ${id}`);
      }
    });
  }
}
