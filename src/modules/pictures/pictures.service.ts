import { InjectQueue } from '@nestjs/bullmq';
import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import type { Queue } from 'bullmq';
import { Not, Repository } from 'typeorm';
import { Database, newId, UnitOfWork } from '../../platform/database/index.js';
import { BusinessRuleError, ClientError } from '../../platform/errors/index.js';
import { Scheduled } from '../../platform/messaging/index.js';
import { ObjectStorage } from '../../platform/storage/index.js';
import type { PictureFileDto } from './dto/picture-file.dto.js';
import type { PictureUploadDto } from './dto/picture-upload.dto.js';
import type { PictureDto } from './dto/picture.dto.js';
import { Picture } from './picture.entity.js';

const UPLOAD_WITHIN_SECONDS = 900;
const READ_WITHIN_SECONDS = 300;
const HOUR_MS = 3_600_000;
const BATCH = 500;

/** Every method is for one owner: another user's picture counts as not existing. */
@Injectable()
export class PicturesService {
  constructor(
    @InjectRepository(Picture) private readonly pictures: Repository<Picture>,
    @InjectQueue('pictures') private readonly deletions: Queue,
    private readonly database: Database,
    private readonly unitOfWork: UnitOfWork,
    private readonly storage: ObjectStorage,
  ) {}

  async create(userId: string, file: PictureFileDto): Promise<PictureUploadDto> {
    const picture = this.pictures.merge(
      this.pictures.create({ id: newId(), userId, status: 'pending' }),
      file,
    );
    const { expiresAt, ...request } = await this.storage.signPut(
      keyOf(picture.id),
      file,
      UPLOAD_WITHIN_SECONDS,
    );
    await this.pictures.insert(picture);
    const upload = { ...request, expiresAt: expiresAt.toISOString() };
    return Object.assign(await this.present(picture), { upload });
  }

  /**
   * Checks that the file was sent, and keeps the picture.
   * @throws ClientError 404 `picture-not-found`; BusinessRuleError 409 `picture-not-sent`; TransientError when the object storage
   * does not answer
   */
  async confirm(userId: string, id: string): Promise<PictureDto> {
    const { status, size } = await this.find(userId, id);
    if (status === 'pending') {
      const sent = await this.storage.head(keyOf(id));
      // Not every S3-compatible server drops what has arrived of an upload that was cut off.
      if (sent?.size !== size) throw notSent();
      await this.pictures.update({ id, status: 'pending' }, { status: 'stored' });
    }
    // It may have been deleted meanwhile.
    return this.get(userId, id);
  }

  /** @throws ClientError 404 `picture-not-found` */
  async get(userId: string, id: string): Promise<PictureDto> {
    return this.present(await this.find(userId, id));
  }

  /** @throws ClientError 404 `picture-not-found` */
  async delete(userId: string, id: string): Promise<void> {
    await this.unitOfWork.run(async () => {
      const { affected } = await this.pictures.update(visible(userId, id), { status: 'deleted' });
      if (affected === 0) throw notFound();
      await this.deleteFiles([id]);
    });
  }

  /**
   * Removes pictures that nobody has confirmed, and deleted ones, with the file that may have arrived after the deletion. A day after they
   * were announced no upload can still be arriving: its URL has expired long ago.
   */
  @Scheduled({ name: 'sweep-pictures', every: HOUR_MS })
  async sweep(): Promise<void> {
    while ((await this.unitOfWork.run(() => this.sweepSome())) === BATCH);
  }

  private async sweepSome(): Promise<number> {
    const swept = await this.database.query<{ id: string }>({
      // The status is asked twice: a picture may be confirmed between the two.
      text: `
        DELETE FROM pictures
        WHERE status <> 'stored' AND id = ANY (ARRAY(
          SELECT id FROM pictures WHERE status <> 'stored' AND created_at < now() - interval '1 day' LIMIT $1))
        RETURNING id`,
      values: [BATCH],
    });
    await this.deleteFiles(swept.map(({ id }) => id));
    return swept.length;
  }

  /** By jobs, which are committed with the caller's unit of work: no file is forgotten when the storage is down. */
  private async deleteFiles(ids: string[]): Promise<void> {
    await this.deletions.addBulk(ids.map((id) => ({ name: 'delete', data: { key: keyOf(id) } })));
  }

  private async find(userId: string, id: string): Promise<Picture> {
    const picture = await this.pictures.findOneBy(visible(userId, id));
    if (!picture) throw notFound();
    return picture;
  }

  private async present({ id, contentType, size, status, createdAt }: Picture): Promise<PictureDto> {
    const picture = { id, contentType, size, status, createdAt: createdAt.toISOString() };
    if (status === 'pending') return picture;
    return { ...picture, url: (await this.storage.signGet(keyOf(id), READ_WITHIN_SECONDS)).url };
  }
}

function keyOf(id: string): string {
  return `pictures/${id}`;
}

function visible(userId: string, id: string) {
  return { id, userId, status: Not('deleted' as const) };
}

function notFound(): ClientError {
  return new ClientError({
    status: 404,
    /** The caller has no picture with this id. */
    code: 'picture-not-found',
    detail: 'There is no such picture.',
  });
}

function notSent(): BusinessRuleError {
  return new BusinessRuleError({
    status: 409,
    /** The file of the picture has not arrived, or not completely. Send it to the URL in `upload`, then confirm again. If the storage rejects it there, announce another picture. */
    code: 'picture-not-sent',
    detail: 'The file of the picture has not arrived.',
  });
}
