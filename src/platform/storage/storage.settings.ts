import { IsInt, IsOptional, Max, Min, MinLength } from 'class-validator';
import { byProtocol, IsConnectionUrl, PLACEHOLDER, Setting } from '../../config/index.js';

declare module '../../config/settings.js' {
  interface FeatureSettings {
    storage: StorageSettings;
  }
}

/**
 * Of object storage. A product that stores files registers it in `src/product.ts`; others need no bucket to run in production
 * (docs/how-to/file-uploads.md).
 */
export class StorageSettings {
  @Setting('STORAGE_URL', {
    required: true,
    encrypted: byProtocol('https:'),
    describe:
      'URL of a bucket of an S3-compatible object storage, for example https://s3.eu-central-1.amazonaws.com/bucket. Without it, files are kept in STORAGE_DIRECTORY; not in production.',
  })
  @IsOptional()
  @IsConnectionUrl(['http:', 'https:'])
  url?: string;

  @Setting('STORAGE_PUBLIC_URL', {
    encrypted: byProtocol('https:'),
    describe: 'URL of the bucket for clients, where it differs from STORAGE_URL. Signed URLs begin with it.',
  })
  @IsOptional()
  @IsConnectionUrl(['http:', 'https:'])
  publicUrl?: string;

  @Setting('STORAGE_REGION', {
    default: 'us-east-1',
    describe: 'Region of the bucket, as requests are signed for it.',
  })
  @MinLength(1)
  region!: string;

  @Setting('STORAGE_ACCESS_KEY_ID', {
    default: `${PLACEHOLDER}storage-key`,
    secret: true,
    describe: 'Id of the access key of the object storage.',
  })
  @MinLength(4)
  accessKeyId!: string;

  @Setting('STORAGE_SECRET_ACCESS_KEY', {
    default: `${PLACEHOLDER}storage-secret`,
    secret: true,
    describe: 'Secret of the access key. It signs the URLs that clients get.',
  })
  @MinLength(6)
  secretAccessKey!: string;

  @Setting('STORAGE_DIRECTORY', {
    default: '.local/objects',
    describe: 'Where files are kept without STORAGE_URL; the api and the worker need the same directory.',
  })
  @MinLength(1)
  directory!: string;

  @Setting('STORAGE_TIMEOUT_MS', {
    default: 5000,
    describe:
      'How long the object storage may take to answer. Sending a file may take longer: a second for each MiB.',
  })
  @IsInt()
  @Min(50)
  @Max(60_000)
  timeoutMs!: number;
}
