import { StringField, StringListField } from '../../../src/platform/http/index.js';

export class AddPayeeDto {
  @StringField({ min: 1, max: 100 })
  name!: string;
}

export class SortPayeesDto {
  @StringListField({ min: 1, each: { max: 36 } })
  ids!: string[];
}
