import { applyDecorators, type Type as Class } from '@nestjs/common';
import { ApiProperty, type ApiPropertyOptions } from '@nestjs/swagger';
import { Type } from 'class-transformer';
import {
  ArrayMaxSize,
  ArrayMinSize,
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

/**
 * One decorator per field states its type, its limits and its documentation, so that what is validated, what is
 * documented and what the response serialiser writes cannot drift apart.
 */
interface FieldOptions {
  description?: string;
  example?: unknown;
  /** The member may be absent. */
  optional?: boolean;
  /** The member may be null. */
  nullable?: boolean;
}

export interface StringOptions extends FieldOptions {
  min?: number;
  max?: number;
  pattern?: RegExp;
  /** What the pattern means, for the error message. */
  patternName?: string;
}

/** Text of `min` (default 0) to `max` (default 1000) characters. */
export function StringField(options: StringOptions = {}): PropertyDecorator {
  const { min = 0, max = 1000, pattern, patternName } = options;
  return field(
    options,
    {
      type: 'string',
      ...(min > 0 && { minLength: min }),
      maxLength: max,
      ...(pattern && { pattern: pattern.source }),
    },
    [
      IsString(),
      ...(min > 0 ? [MinLength(min)] : []),
      MaxLength(max),
      ...(pattern
        ? [Matches(pattern, { message: `$property must be ${patternName ?? 'well-formed'}` })]
        : []),
    ],
  );
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

/** A whole number from `min` (default 0) to `max` (default 2^53 - 1). */
export function IntField(options: FieldOptions & { min?: number; max?: number } = {}): PropertyDecorator {
  const { min = 0, max = Number.MAX_SAFE_INTEGER } = options;
  return field(options, { type: 'integer', minimum: min, maximum: max }, [IsInt(), Min(min), Max(max)]);
}

/** true or false. */
export function BooleanField(options: FieldOptions = {}): PropertyDecorator {
  return field(options, { type: 'boolean' }, [IsBoolean()]);
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

// @nestjs/swagger takes a function for a lazy type only when its name is `type`, which the literal below gives it.

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

function field(options: FieldOptions, schema: object, validators: PropertyDecorator[]): PropertyDecorator {
  const { description, example, optional = false, nullable = false } = options;
  const api = { ...schema, required: !optional, ...(nullable && { nullable }), description, example };
  return applyDecorators(
    ApiProperty(api as ApiPropertyOptions),
    ...validators,
    ...(optional ? [ValidateIf((_, value) => value !== undefined)] : []),
    ...(nullable ? [ValidateIf((_, value) => value !== null)] : []),
  );
}
