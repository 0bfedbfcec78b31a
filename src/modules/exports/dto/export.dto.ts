import { DateTimeField, EnumField, IntField, ObjectField, UuidField } from '../../../platform/http/index.js';
import { EXPORT_TYPES } from './create-export.dto.js';

export class ExportProgressDto {
  @IntField({ description: 'Rows written so far.' })
  rows!: number;

  @IntField({ description: 'Total number of rows; 0 until they are counted.' })
  total!: number;
}

export class ExportDto {
  @UuidField()
  id!: string;

  @EnumField(EXPORT_TYPES)
  type!: string;

  @EnumField(['queued', 'running', 'completed', 'failed'])
  status!: string;

  @ObjectField(() => ExportProgressDto)
  progress!: ExportProgressDto;

  @DateTimeField()
  createdAt!: string;

  @DateTimeField({ nullable: true })
  completedAt!: string | null;
}
