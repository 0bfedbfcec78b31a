import { Processor, WorkerHost } from '@nestjs/bullmq';
import type { Job } from 'bullmq';
import { ObjectStorage } from '../../platform/storage/index.js';

/** Deletes the files of pictures that are gone. */
@Processor('pictures')
export class PicturesProcessor extends WorkerHost {
  constructor(private readonly storage: ObjectStorage) {
    super();
  }

  async process({ data: { key } }: Job<{ key: string }>): Promise<void> {
    await this.storage.delete(key);
  }
}
