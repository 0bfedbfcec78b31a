import { applyDecorators, type Type as Class } from '@nestjs/common';
import { ApiProperty, type ApiPropertyOptions } from '@nestjs/swagger';
import { Transform, Type } from 'class-transformer';
import {
  ArrayMaxSize,
  ArrayMinSize,
  ArrayUnique,
  IsArray,
  IsBoolean,
  IsEmail,
  IsIn,
  IsInt,
  IsISO8601,
  IsObject,
  IsString,
  IsUUID,
  Matches,
  Max,
  MaxLength,
  Min,
  MinLength,
  ValidateIf,
  ValidateNested,
} from 'class-validator';
import { each as eachElement, likeInt, likeString } from './elements.js';

/**
 * One decorator per field states its type, its limits and its documentation, so that validation, documentation and response
 * serialiser cannot drift apart.
 */
interface FieldOptions {
  description?: string;
  example?: unknown;
  /** The class's default for an absent member, for the documentation. */
  default?: unknown;
  /** The member may be absent. */
  optional?: boolean;
  /** The member may be null. */
  nullable?: boolean;
}

/** Group of the transformations that read a value from the text of a query or a path. In a body nothing is coerced. */
export const FROM_TEXT = 'from-text';

export interface StringOptions extends FieldOptions {
  min?: number;
  max?: number;
  pattern?: RegExp;
  /** What the pattern means, for the error message. */
  patternName?: string;
}

/** Text of `min` (default 0) to `max` (default 1000) characters. */
export function StringField(options: StringOptions = {}): PropertyDecorator {
  const { min = 0, max = 1000, pattern, patternName = 'well-formed' } = options;
  return field(options, stringSchema(options), [
    IsString(),
    ...(min > 0 ? [MinLength(min)] : []),
    MaxLength(max),
    ...(pattern ? [Matches(pattern, { message: `$property must be ${patternName}` })] : []),
  ]);
}

/** The OpenAPI schema of a `StringField`. */
export function stringSchema({ min = 0, max = 1000, pattern }: StringOptions): object {
  return {
    type: 'string',
    ...(min > 0 && { minLength: min }),
    maxLength: max,
    ...(pattern && { pattern: pattern.source }),
  };
}

/** An e-mail address (RFC 5321: at most 254 characters). */
export function EmailField(options: FieldOptions = {}): PropertyDecorator {
  return field(options, { type: 'string', format: 'email', maxLength: 254 }, [
    IsString(),
    MaxLength(254),
    IsEmail({}, { message: '$property must be an e-mail address' }),
  ]);
}

/** A UUID, as our ids are. */
export function UuidField(options: FieldOptions = {}): PropertyDecorator {
  return field(options, { type: 'string', format: 'uuid' }, [
    IsString(),
    IsUUID('all', { message: '$property must be a UUID' }),
  ]);
}

export interface IntOptions extends FieldOptions {
  min?: number;
  max?: number;
}

/** A whole number from `min` (default 0) to `max` (default 2^53 - 1). */
export function IntField(options: IntOptions = {}): PropertyDecorator {
  const { min = 0, max = Number.MAX_SAFE_INTEGER } = options;
  return field(options, intSchema(options), [
    fromText((text) => (/^-?\d{1,16}$/.test(text) ? Number(text) : text)),
    IsInt(),
    Min(min),
    Max(max),
  ]);
}

function intSchema({ min = 0, max = Number.MAX_SAFE_INTEGER }: IntOptions): object {
  return { type: 'integer', minimum: min, maximum: max };
}

/** true or false. */
export function BooleanField(options: FieldOptions = {}): PropertyDecorator {
  return field(options, { type: 'boolean' }, [
    fromText((text) => (text === 'true' ? true : text === 'false' ? false : text)),
    IsBoolean(),
  ]);
}

/** One of a fixed set of words. */
export function EnumField(values: readonly string[], options: FieldOptions = {}): PropertyDecorator {
  return field(options, { type: 'string', enum: [...values] }, [IsIn([...values])]);
}

/** An RFC 3339 time. Comes in as text, goes out as UTC with milliseconds. */
export function DateTimeField(options: FieldOptions = {}): PropertyDecorator {
  return field(options, { type: 'string', format: 'date-time' }, [
    IsString(),
    Matches(/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,9})?(Z|[+-]\d{2}:\d{2})$/, {
      message: '$property must be an RFC 3339 time, for example 2026-11-20T12:00:00Z',
    }),
    IsISO8601({ strict: true }),
  ]);
}

/** A nested object with fields of its own. */
export function ObjectField(type: () => Class<unknown>, options: FieldOptions = {}): PropertyDecorator {
  // Swagger takes a function for lazy, and not for a class, by its name.
  return field(options, { type: () => type() }, [Type(type), IsObject(), ValidateNested()]);
}

/** A list of nested objects, `min` (default 0) to `max` (default 1000) of them. */
export function ListField(
  type: () => Class<unknown>,
  options: FieldOptions & { min?: number; max?: number } = {},
): PropertyDecorator {
  const { min = 0, max = 1000 } = options;
  return field(options, { type: () => type(), isArray: true, minItems: min, maxItems: max }, [
    Type(type),
    IsArray(),
    ArrayMinSize(min),
    ArrayMaxSize(max),
    IsObject({ each: true }),
    ValidateNested({ each: true }),
  ]);
}

/** A list of `min` (default 0) to `max` (default 100) values. */
interface ListOptions<Each> extends FieldOptions {
  min?: number;
  max?: number;
  unique?: boolean;
  each?: Each;
}

/** A list of strings, each like a `StringField`. In a query the parameter is repeated for each (`?tag=a&tag=b`). */
export function StringListField(options: ListOptions<StringOptions> = {}): PropertyDecorator {
  const { each = {} } = options;
  return list(options, stringSchema(each), eachElement(likeString(each)));
}

/** A list of whole numbers, each like an `IntField`. */
export function IntListField(options: ListOptions<IntOptions> = {}): PropertyDecorator {
  const { each = {} } = options;
  return list(options, intSchema(each), eachElement(likeInt(each)));
}

function list(options: ListOptions<object>, items: object, check: PropertyDecorator): PropertyDecorator {
  const { min = 0, max = 100, unique = false } = options;
  return field(options, { type: 'array', items, minItems: min, maxItems: max, uniqueItems: unique }, [
    fromText((text) => [text]),
    IsArray(),
    ArrayMinSize(min),
    ArrayMaxSize(max),
    ...(unique ? [ArrayUnique()] : []),
    check,
  ]);
}

function field(options: FieldOptions, schema: object, validators: PropertyDecorator[]): PropertyDecorator {
  const { description, example, default: initial, optional = false, nullable = false } = options;
  const api = {
    ...schema,
    required: !optional,
    ...(nullable && { nullable }),
    description,
    example,
    default: initial,
  };
  return applyDecorators(
    ApiProperty(api as ApiPropertyOptions),
    ...validators,
    ...(optional ? [ValidateIf((_, value) => value !== undefined)] : []),
    ...(nullable ? [ValidateIf((_, value) => value !== null)] : []),
  );
}

function fromText(read: (text: string) => unknown): PropertyDecorator {
  return Transform(({ value }: { value: unknown }) => (typeof value === 'string' ? read(value) : value), {
    groups: [FROM_TEXT],
  });
}
