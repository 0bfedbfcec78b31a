import { StringField } from '../../../platform/http/index.js';

/** A user's name, in registration and profile. */
export function UserNameField(options: { optional?: boolean } = {}): PropertyDecorator {
  return StringField({
    min: 1,
    max: 100,
    // Names go into mails to an unverified address: a line break would start another header or paragraph, an
    // URL would be a link in the product's name, and reversed text could look like one. No two neighbours in the pattern
    // overlap, and the look-ahead runs once, because an attacker chooses the input and its length.
    pattern:
      /^(?!.*(?::\/\/|[wW]{3}\.))\p{Zs}*[^\p{Cc}\p{Z}\u202A-\u202E\u2066-\u2069][^\p{Cc}\p{Zl}\p{Zp}\u202A-\u202E\u2066-\u2069]*$/u,
    patternName: 'a name without web addresses, line breaks and control characters',
    example: 'Ada Lovelace',
    ...options,
  });
}
