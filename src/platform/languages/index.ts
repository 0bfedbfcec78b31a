export {
  DEFAULT_LANGUAGE,
  detailIn,
  isMultilingual,
  languageOf,
  speak,
  textIn,
  titleIn,
  type Language,
} from './languages.js';
