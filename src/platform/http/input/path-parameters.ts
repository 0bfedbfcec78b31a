import { Param, type PipeTransform } from '@nestjs/common';
import { ApiParam } from '@nestjs/swagger';
import { isUuid } from '../../context/index.js';
import { ClientError } from '../../errors/index.js';
import { stringSchema, type StringOptions } from './fields.js';

/**
 * Path parameters: each declares what it accepts and documents it, as the fields of a DTO do. An invalid value is answered 422
 * with the parameter's name, before the handler runs. A plain `@Param()` accepts any text without NUL and invalid Unicode.
 */

const INTEGER = /^(?:0|-?[1-9]\d{0,15})$/;

/** A UUID, as our ids are; the handler gets it in lower case. */
export function UuidParam(name: string): ParameterDecorator {
  return pathParameter(name, { type: 'string', format: 'uuid' }, ['is-uuid', 'a UUID'], (text) =>
    isUuid(text) ? text.toLowerCase() : undefined,
  );
}

/** A whole number from `min` (default 0) to `max` (default 2^31 - 1: an `integer` column holds no more). */
export function IntParam(name: string, options: { min?: number; max?: number } = {}): ParameterDecorator {
  const { min = 0, max = 2 ** 31 - 1 } = options;
  const what = `a whole number from ${min} to ${max}`;
  return pathParameter(name, { type: 'integer', minimum: min, maximum: max }, ['is-int', what], (text) => {
    const number = INTEGER.test(text) ? Number(text) : NaN;
    return number >= min && number <= max ? number : undefined;
  });
}

/** Text of `min` (default 0) to `max` (default 1000) characters that match a pattern, such as a slug. */
export function StringParam(name: string, options: StringOptions = {}): ParameterDecorator {
  const { min = 0, max = 1000, pattern, patternName } = options;
  const what = patternName ?? (pattern ? 'well-formed' : `of ${min} to ${max} characters`);
  return pathParameter(name, stringSchema(options), [pattern ? 'matches' : 'length', what], (text) =>
    text.length >= min && text.length <= max && (pattern?.test(text) ?? true) ? text : undefined,
  );
}

/** @param read the value, or undefined for an invalid one */
function pathParameter(
  name: string,
  schema: object,
  [code, what]: [code: string, what: string],
  read: (text: string) => unknown,
): ParameterDecorator {
  const pipe: PipeTransform<string> = {
    transform(text) {
      const value = read(text);
      if (value !== undefined) return value;
      const message = `${name} must be ${what}`;
      const errors = [{ parameter: name, code, message }];
      throw new ClientError({ status: 422, code: 'validation-failed', detail: message, errors });
    },
  };
  return (target, property, index) => {
    if (property === undefined) return;
    Param(name, pipe)(target, property, index);
    const handler = Object.getOwnPropertyDescriptor(target, property) as PropertyDescriptor;
    ApiParam({ name, schema })(target, property, handler);
  };
}
