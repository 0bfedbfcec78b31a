import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { MessagingModule } from '../../platform/messaging/index.js';
import { OrdersModule } from '../orders/index.js';
import { ExportChunk } from './export-chunk.entity.js';
import { ExportRunsRepository } from './export-runs.repository.js';
import { ExportSweepRepository } from './export-sweep.repository.js';
import { ExportWriter } from './export-writer.js';
import { Export } from './export.entity.js';
import { ExportsController } from './exports.controller.js';
import { exportRequested } from './exports.events.js';
import { ExportsProcessor } from './exports.processor.js';
import { ExportsService } from './exports.service.js';
import { ExportsSweep } from './exports.sweep.js';
import { OrderExport } from './order-export.js';

@Module({
  imports: [
    TypeOrmModule.forFeature([Export, ExportChunk]),
    MessagingModule.forFeature({ events: [exportRequested], queues: ['exports'] }),
    OrdersModule,
  ],
  controllers: [ExportsController],
  providers: [
    ExportsService,
    ExportsProcessor,
    ExportWriter,
    ExportRunsRepository,
    OrderExport,
    ExportsSweep,
    ExportSweepRepository,
  ],
})
export class ExportsModule {}
