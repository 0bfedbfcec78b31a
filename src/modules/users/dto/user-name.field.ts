import { StringField } from '../../../platform/http/index.js';

/** What a person is called, in registration and profile alike. */
export function UserNameField(options: { optional?: boolean } = {}): PropertyDecorator {
  return StringField({
    min: 1,
    max: 100,
    // Names go into mails to an address that nobody has verified: a line break would start another header or paragraph, an
    // address of the web would be a link in the shop's name, and reversed text could look like one. No two neighbours in the pattern
    // overlap, and the look-ahead runs once: it works on what an attacker sends, at whatever length.
    pattern:
      /^(?!.*(?::\/\/|[wW]{3}\.))\p{Zs}*[^\p{Cc}\p{Z}\u202A-\u202E\u2066-\u2069][^\p{Cc}\p{Zl}\p{Zp}\u202A-\u202E\u2066-\u2069]*$/u,
    patternName: 'a name without web addresses, line breaks and control characters',
    example: 'Ada Lovelace',
    ...options,
  });
}
