import { BullModule } from '@nestjs/bullmq';
import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { StorageModule } from '../../platform/storage/index.js';
import { Picture } from './picture.entity.js';
import { PicturesController } from './pictures.controller.js';
import { PicturesProcessor } from './pictures.processor.js';
import { PicturesService } from './pictures.service.js';

/** Pictures that users upload. The example of files in an object storage: docs/how-to/file-uploads.md. */
@Module({
  imports: [
    TypeOrmModule.forFeature([Picture]),
    BullModule.registerQueue({ name: 'pictures' }),
    StorageModule,
  ],
  controllers: [PicturesController],
  providers: [PicturesService, PicturesProcessor],
})
export class PicturesModule {}
