import { Module } from '@nestjs/common';
import { CpuModule } from '../../platform/cpu/index.js';
import { DatabaseModule } from '../../platform/database/index.js';
import { OrdersModule } from '../orders/index.js';
import { ExportChunk } from './export-chunk.entity.js';
import { ExportRunner } from './export-runner.js';
import { ExportRunsRepository } from './export-runs.repository.js';
import { ExportSweepRepository } from './export-sweep.repository.js';
import { Export } from './export.entity.js';
import { ExportsController } from './exports.controller.js';
import { ExportsProcessor } from './exports.processor.js';
import { ExportsRepository } from './exports.repository.js';
import { ExportsService } from './exports.service.js';
import { ExportsSweep } from './exports.sweep.js';
import { OrderExport } from './order-export.js';

@Module({
  imports: [DatabaseModule.forFeature([Export, ExportChunk]), CpuModule, OrdersModule],
  controllers: [ExportsController],
  providers: [
    ExportsService,
    ExportsRepository,
    ExportsProcessor,
    ExportRunner,
    ExportRunsRepository,
    OrderExport,
    ExportsSweep,
    ExportSweepRepository,
  ],
})
export class ExportsModule {}
