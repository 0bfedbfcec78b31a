import type { Language } from '../platform/languages/index.js';
import { de } from './de.js';
import { en } from './en.js';

/** The languages of the product, by tag. To add one, copy a file and name it here (docs/extending.md, "Languages"). */
export const LANGUAGES: Record<string, Language> = { en, de };
