import { EmailField } from '../../../platform/http/index.js';
import { PasswordField } from './password.fields.js';

export class LoginDto {
  @EmailField({ example: 'ada@example.com' })
  email!: string;

  @PasswordField()
  password!: string;
}
