import { StringField } from '../../../platform/http/index.js';

/** Bounded before anything is computed from it: hashing costs more the longer it is. */
const MAX_LENGTH = 128;

/** A password to be set: length is the one rule (NIST SP 800-63B wants 8 at least and no rules of composition). */
export function NewPasswordField(): PropertyDecorator {
  return StringField({ min: 8, max: MAX_LENGTH, example: 'correct horse battery staple' });
}

/** A password to be checked: whether it could have been set is nobody's business at login. */
export function PasswordField(): PropertyDecorator {
  return StringField({ min: 1, max: MAX_LENGTH, example: 'correct horse battery staple' });
}
