import { DateTimeField, UuidField } from '../../../platform/http/index.js';
import { AddressFieldsDto } from './address-fields.dto.js';

export class AddressDto extends AddressFieldsDto {
  @UuidField()
  id!: string;

  @DateTimeField()
  createdAt!: string;
}
