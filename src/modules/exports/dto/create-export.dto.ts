import { DateTimeField, EnumField } from '../../../platform/http/index.js';

export const EXPORT_TYPES = ['orders'] as const;
export type ExportType = (typeof EXPORT_TYPES)[number];

export class CreateExportDto {
  @EnumField(EXPORT_TYPES)
  type!: ExportType;

  @DateTimeField({ optional: true, description: 'Only orders created at this time or later.' })
  from?: string;

  @DateTimeField({ optional: true, description: 'Only orders created before this time.' })
  to?: string;
}
