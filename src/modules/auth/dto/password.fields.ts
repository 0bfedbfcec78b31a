import { StringField } from '../../../platform/http/index.js';

/** Bounded before anything is computed from it: hashing a longer one costs more. */
const MAX_LENGTH = 128;

/** A password to be set: length is the only rule (NIST SP 800-63B requires at least 8 and no composition rules). */
export function NewPasswordField(): PropertyDecorator {
  return StringField({ min: 8, max: MAX_LENGTH, example: 'correct horse battery staple' });
}

/** A password to be checked: login does not reveal whether it could have been set. */
export function PasswordField(): PropertyDecorator {
  return StringField({ min: 1, max: MAX_LENGTH, example: 'correct horse battery staple' });
}
