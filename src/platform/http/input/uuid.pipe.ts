import { Injectable, type ArgumentMetadata, type PipeTransform } from '@nestjs/common';
import { ClientError } from '../../errors/index.js';

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** Lets only UUIDs through as path parameters. @throws ClientError 422 naming the parameter. */
@Injectable()
export class UuidPipe implements PipeTransform<string, string> {
  transform(value: string, { data }: ArgumentMetadata): string {
    if (typeof value === 'string' && UUID.test(value)) return value.toLowerCase();
    const parameter = data ?? 'id';
    throw new ClientError({
      status: 422,
      code: 'validation-failed',
      detail: `${parameter} is not a UUID`,
      errors: [{ parameter, code: 'is-uuid', message: `${parameter} must be a UUID` }],
    });
  }
}
