import 'reflect-metadata';

/** How a URL requests encrypted connections. */
export interface Encryption {
  /** For people: what to write into the URL. */
  hint: string;
  isIn(url: URL): boolean;
}

/** The type of a variable's value. */
export type SettingValue = string | number | boolean | string[];

/** How one environment variable becomes one property of the settings tree. */
export interface SettingOptions {
  /** One sentence for `.env.example` and `docs/configuration.md`. */
  describe: string;
  /**
   * Value when the variable is absent; a function makes it from the product's name. Leave it out for an optional setting without
   * a value.
   */
  default?: SettingValue | ((product: string) => SettingValue);
  /** In production it must be set: its default names a server on a developer's machine. */
  required?: boolean;
  /** The connections of this URL must be encrypted in production, unless `PLAINTEXT_CONNECTIONS` names the variable. */
  encrypted?: Encryption;
  /** Never printed; may also be read from the file named by `<NAME>_FILE`. */
  secret?: boolean;
}

export interface SettingDefinition extends SettingOptions {
  name: string;
  property: string;
  type: 'string' | 'number' | 'boolean' | 'list';
}

const SETTINGS = Symbol('settings');

/**
 * Binds a property to an environment variable. The property's declared type (string, number, boolean, string[]) decides how the
 * text is parsed; class-validator decorators beside it decide what is accepted.
 */
export function Setting(name: string, options: SettingOptions): PropertyDecorator {
  return (target, property) => {
    const declared = Reflect.getMetadata('design:type', target, property) as unknown;
    const type =
      declared === Number
        ? 'number'
        : declared === Boolean
          ? 'boolean'
          : declared === Array
            ? 'list'
            : 'string';
    const known = settingsOf(target.constructor);
    Reflect.defineMetadata(
      SETTINGS,
      [...known, { ...options, name, property: String(property), type }],
      target.constructor,
    );
  };
}

/** Value of a setting whose variable is absent. */
export function defaultOf({ default: value }: SettingDefinition, product: string): SettingValue | undefined {
  return typeof value === 'function' ? value(product) : value;
}

/** The settings a section class declares, in source order. */
export function settingsOf(section: object): SettingDefinition[] {
  return (Reflect.getMetadata(SETTINGS, section) as SettingDefinition[] | undefined) ?? [];
}
