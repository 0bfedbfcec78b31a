import { InvalidArgumentError } from 'commander';

/** The value of an option that counts something. */
export function positive(text: string): number {
  if (!/^[1-9]\d{0,5}$/.test(text)) throw new InvalidArgumentError('must be a whole number above 0');
  return Number(text);
}
