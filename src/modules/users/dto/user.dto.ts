import {
  DateTimeField,
  EmailField,
  EnumField,
  StringField,
  UuidField,
  type Role,
} from '../../../platform/http/index.js';
import { ROLES } from '../roles.js';

export class UserDto {
  @UuidField()
  id!: string;

  @EmailField()
  email!: string;

  @StringField({ min: 1, max: 100 })
  name!: string;

  @EnumField(ROLES)
  role!: Role;

  @DateTimeField()
  createdAt!: string;
}
