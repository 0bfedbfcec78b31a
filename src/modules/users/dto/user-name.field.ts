import { StringField } from '../../../platform/http/index.js';

/** What a person is called, in registration and profile alike. */
export function UserNameField(options: { optional?: boolean } = {}): PropertyDecorator {
  return StringField({
    min: 1,
    max: 100,
    // Names go into the headers of mails, where a line break would start another header. No two neighbours in the
    // pattern overlap: it runs on what an attacker sends, at whatever length.
    pattern: /^\p{Zs}*[^\p{Cc}\p{Z}][^\p{Cc}]*$/u,
    patternName: 'a name without control characters',
    example: 'Ada Lovelace',
    ...options,
  });
}
