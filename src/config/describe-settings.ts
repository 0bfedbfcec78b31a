import { getMetadataStorage } from 'class-validator';
import { NO_PRODUCT, type Product } from './product.js';
import { defaultOf, settingsOf, type SettingDefinition, type SettingValue } from './setting.decorator.js';
import { Settings } from './settings.js';

/** A setting with its accepted values, in words. */
export interface SettingDescription extends SettingDefinition {
  default?: SettingValue;
  accepts: string;
}

export interface SectionDescription {
  /** Name of the section in the settings tree, such as `database`. */
  section: string;
  settings: SettingDescription[];
}

/**
 * Name, description, default and accepted values of every variable, in the order of the tree: the source of the generated
 * documents.
 */
export function describeSettings(product: Product = NO_PRODUCT): SectionDescription[] {
  return Object.entries(new Settings(product)).map(([section, value]) => {
    const sectionClass = (value as object).constructor;
    return {
      section,
      settings: settingsOf(sectionClass).map((setting) => ({
        ...setting,
        default: defaultOf(setting, product.name),
        accepts: acceptedBy(sectionClass, setting),
      })),
    };
  });
}

/** Words for a validator's constraints; validators that add nothing to the type have none. */
const WORDS: Record<string, (constraints: unknown[]) => string> = {
  isIn: ([values]) => `one of ${(values as string[]).join(', ')}`,
  minLength: ([min]) => `at least ${String(min)} characters`,
  isIp: () => 'an IP address',
  isEmail: () => 'an e-mail address',
  isConnectionUrl: ([protocols]) => `URL with ${(protocols as string[]).map((p) => `${p}//`).join(' or ')}`,
  isProxyList: () => 'IP addresses and CIDR ranges',
  isHostAndPort: () => 'host:port',
  isReadableFile: () => 'name of a file',
  isOriginList: () => 'origins such as https://app.example',
};

function acceptedBy(sectionClass: object, { property, type }: SettingDefinition): string {
  const rules = new Map(
    getMetadataStorage()
      .getTargetValidationMetadatas(sectionClass as never, '', true, false)
      .filter(({ propertyName }) => propertyName === property)
      .map(({ name, constraints }) => [name ?? '', constraints as unknown[]]),
  );
  if (type === 'number') {
    const kind = rules.has('isInt') ? 'whole number' : 'number';
    return `${kind}, ${String(rules.get('min')?.[0])} to ${String(rules.get('max')?.[0])}`;
  }
  if (type === 'boolean') return 'true or false';
  const words = [...rules].flatMap(([name, constraints]) => WORDS[name]?.(constraints) ?? []);
  return [...words, ...(type === 'list' ? ['comma separated'] : [])].join(', ') || 'text';
}
