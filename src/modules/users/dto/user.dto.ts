import {
  DateTimeField,
  EmailField,
  EnumField,
  StringField,
  UuidField,
  type Role,
} from '../../../platform/http/index.js';

export class UserDto {
  @UuidField()
  id!: string;

  @EmailField()
  email!: string;

  @StringField({ min: 1, max: 100 })
  name!: string;

  @EnumField(['customer', 'admin'])
  role!: Role;

  @DateTimeField()
  createdAt!: string;
}
