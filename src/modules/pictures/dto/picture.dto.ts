import { DateTimeField, EnumField, StringField, UuidField } from '../../../platform/http/index.js';
import { PictureFileDto } from './picture-file.dto.js';

export class PictureDto extends PictureFileDto {
  @UuidField()
  id!: string;

  @EnumField(['pending', 'stored'])
  status!: string;

  @StringField({
    max: 4000,
    optional: true,
    description: 'Where the file can be read for some minutes, once the picture is stored.',
  })
  url?: string;

  @DateTimeField()
  createdAt!: string;
}
