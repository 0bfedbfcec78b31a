import { Injectable, type ArgumentMetadata, type PipeTransform, type Type } from '@nestjs/common';
import { plainToInstance } from 'class-transformer';
import { validateSync, type ValidationError } from 'class-validator';
import type { FieldProblem } from '../../errors/index.js';
import { invalidInput, pointerToken, shortened, textProblem } from './invalid-input.js';
import { knownMembersOf } from './known-members.js';

/** Where something is: a JSON pointer into a body, or a parameter's name. */
type Place = Pick<FieldProblem, 'pointer' | 'parameter'>;
type PlaceOf = (pointer: string) => Place;

const inBody: PlaceOf = (pointer) => ({ pointer });
const inQuery: PlaceOf = (pointer) => ({ parameter: pointer.slice(1) });

/** Checks bodies, queries and path parameters: every problem at once, unknown members refused, nothing coerced. */
@Injectable()
export class ValidationPipe implements PipeTransform {
  /** @throws ClientError 422 `validation-failed` naming each member by JSON pointer (body) or parameter (query, path). */
  transform(value: unknown, { type, metatype, data = '' }: ArgumentMetadata): unknown {
    if (type !== 'body' && type !== 'custom') {
      const problems = textProblems(value, data);
      if (problems.length > 0) throw invalidInput(problems);
    }
    if (!metatype || !isDto(metatype) || (type !== 'body' && type !== 'query')) return value;
    if (!isPlainObject(value)) {
      const place = type === 'body' ? { pointer: '' } : {};
      throw invalidInput([{ ...place, code: 'is-object', message: 'a JSON object is required' }]);
    }
    return checked(value, metatype, type === 'body' ? inBody : inQuery);
  }
}

/**
 * class-transformer takes time by the square of what it is given, and what it drops or renames nobody sees: it gets to see only what
 * the DTO knows.
 */
function checked(given: object, dto: Type<object>, placeOf: PlaceOf): object {
  const unknown: FieldProblem[] = [];
  const instance = plainToInstance(dto, knownPart(given, dto, placeOf, unknown)) as object;
  const failures = validateSync(instance, {
    // For members whose class depends on what is sent (a discriminator).
    whitelist: true,
    forbidNonWhitelisted: true,
    forbidUnknownValues: false,
    stopAtFirstError: true,
  });
  const problems = [...problemsOf(failures, placeOf), ...unknown];
  if (problems.length > 0) throw invalidInput(problems);
  return instance;
}

/** A copy with the members that the DTO knows. The others are added to `unknown`. */
function knownPart(
  given: unknown,
  dto: Type<object>,
  placeOf: PlaceOf,
  unknown: FieldProblem[],
  prefix = '',
): unknown {
  if (Array.isArray(given))
    return given.map((element, index) => knownPart(element, dto, placeOf, unknown, `${prefix}/${index}`));
  if (!isPlainObject(given)) return given;
  const known = knownMembersOf(dto);
  const copy: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(given)) {
    const pointer = `${prefix}/${pointerToken(name)}`;
    if (!known.has(name)) {
      unknown.push({
        ...placeOf(pointer),
        code: 'unknown-field',
        message: `${shortened(name)} is not a known field`,
      });
      continue;
    }
    const nested = known.get(name);
    copy[name] = nested ? knownPart(value, nested, placeOf, unknown, pointer) : value;
  }
  return copy;
}

function problemsOf(failures: ValidationError[], placeOf: PlaceOf, prefix = ''): FieldProblem[] {
  return failures.flatMap(({ property, constraints = {}, children = [] }) => {
    const pointer = `${prefix}/${pointerToken(property)}`;
    return [
      ...Object.entries(constraints).map(([rule, message]) => ({
        ...placeOf(pointer),
        code: codeOf(rule),
        message,
      })),
      ...problemsOf(children, placeOf, pointer),
    ];
  });
}

function codeOf(rule: string): string {
  return rule === 'whitelistValidation'
    ? 'unknown-field'
    : rule.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

/** Of a path parameter, or of each parameter of a query. (What is in a body has been looked at when it was parsed.) */
function textProblems(value: unknown, parameter: string): FieldProblem[] {
  if (typeof value === 'string') {
    const problem = textProblem(value, parameter);
    return problem ? [{ parameter, ...problem }] : [];
  }
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, inner]: [string, unknown]) =>
    [inner].flat().flatMap((text) => textProblems(text, name)),
  );
}

function isDto(metatype: unknown): metatype is Type<object> {
  return (
    typeof metatype === 'function' && ![String, Boolean, Number, Array, Object].includes(metatype as never)
  );
}

function isPlainObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
