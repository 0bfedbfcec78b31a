import { UserNameField } from './user-name.field.js';

export class UpdateMeDto {
  @UserNameField({ optional: true })
  name?: string;
}
