import { ApiProperty } from '@nestjs/swagger';
import { DateTimeField, EnumField, ObjectField, StringField } from '../../../platform/http/index.js';
import { PictureDto } from './picture.dto.js';

/** The request that sends the file. */
export class UploadDto {
  @EnumField(['PUT'])
  method!: string;

  @StringField({ max: 4000 })
  url!: string;

  @ApiProperty({ type: 'object', additionalProperties: { type: 'string' } })
  headers!: Record<string, string>;

  @DateTimeField()
  expiresAt!: string;
}

export class PictureUploadDto extends PictureDto {
  @ObjectField(() => UploadDto)
  upload!: UploadDto;
}
