import { EmailField } from '../../../platform/http/index.js';
import { UserNameField } from '../../users/index.js';
import { NewPasswordField } from './password.fields.js';

export class RegisterDto {
  @EmailField({ example: 'ada@example.com' })
  email!: string;

  @NewPasswordField()
  password!: string;

  @UserNameField()
  name!: string;
}
