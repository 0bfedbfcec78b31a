import { Injectable, type ArgumentMetadata, type PipeTransform, type Type } from '@nestjs/common';
import { plainToInstance } from 'class-transformer';
import { validateSync, type ValidationError } from 'class-validator';
import type { FieldProblem } from '../../errors/index.js';
import { FROM_TEXT } from './fields.js';
import { invalidInput, pointerToken, shortened, textProblem } from './invalid-input.js';
import { knownMembersOf } from './known-members.js';
import { ELEMENTS, type ElementProblem } from './elements.js';

/** A place in the input: a JSON pointer into a body, or a parameter's name. */
type Place = Pick<FieldProblem, 'pointer' | 'parameter'>;
type PlaceOf = (pointer: string) => Place;

const inBody: PlaceOf = (pointer) => ({ pointer });
/** A query and a path have no structure: a problem of an element is one of its parameter. */
const asParameter: PlaceOf = (pointer) => ({ parameter: pointer.split('/', 2)[1] });

/**
 * Checks bodies, queries and path parameters: reports every problem at once, rejects unknown members, coerces nothing in a body.
 */
@Injectable()
export class ValidationPipe implements PipeTransform {
  /**
   * @param metadata `data` names one member of a body (`@Body('article')`), or one parameter
   * @throws ClientError 422 `validation-failed` naming each member by JSON pointer (body) or parameter (query, path).
   */
  transform(value: unknown, { type, metatype, data = '' }: ArgumentMetadata): unknown {
    if (type === 'custom') return value;
    if (type !== 'body') {
      const problems = textProblems(value, data);
      if (problems.length > 0) throw invalidInput(problems);
      if (metatype === String && Array.isArray(value)) throw invalidInput([repeated(data)]);
      // A list with one value arrives as a plain value.
      if (metatype === Array && typeof value === 'string') return [value];
    }
    if (!metatype || !isDto(metatype)) return value;
    const prefix = type === 'body' && data !== '' ? `/${pointerToken(data)}` : '';
    if (!isPlainObject(value)) {
      const place = type === 'body' ? { pointer: prefix } : {};
      throw invalidInput([{ ...place, code: 'is-object', message: 'a JSON object is required' }]);
    }
    return checked(value, metatype, type, prefix);
  }
}

/**
 * class-transformer takes quadratic time, and does not report what it drops or renames. So it gets only the members that the DTO
 * knows.
 */
function checked(given: object, dto: Type<object>, type: 'body' | 'query' | 'param', prefix: string): object {
  const placeOf = type === 'body' ? inBody : asParameter;
  const unknown: FieldProblem[] = [];
  const known = knownPart(given, dto, placeOf, unknown, prefix);
  const instance = plainToInstance(dto, known, type === 'body' ? {} : { groups: [FROM_TEXT] }) as object;
  const failures = validateSync(instance, {
    // For members whose class depends on the input (a discriminator).
    whitelist: true,
    forbidNonWhitelisted: true,
    forbidUnknownValues: false,
    stopAtFirstError: true,
  });
  const problems = problemsOf(failures, placeOf, prefix);
  // A path has all parameters of its route; a handler may take only some.
  if (type !== 'param') problems.push(...unknown);
  if (problems.length > 0) throw invalidInput(problems);
  return instance;
}

/** A copy with the members that the DTO knows. The others are added to `unknown`. */
function knownPart(
  given: unknown,
  dto: Type<object>,
  placeOf: PlaceOf,
  unknown: FieldProblem[],
  prefix: string,
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

function problemsOf(failures: ValidationError[], placeOf: PlaceOf, prefix: string): FieldProblem[] {
  return failures.flatMap(({ property, constraints = {}, children = [] }) => {
    const pointer = `${prefix}/${pointerToken(property)}`;
    return [
      ...Object.entries(constraints).flatMap(([rule, message]) =>
        rule === ELEMENTS
          ? elementProblems(message, placeOf, pointer)
          : [{ ...placeOf(pointer), code: codeOf(rule), message }],
      ),
      ...problemsOf(children, placeOf, pointer),
    ];
  });
}

/** The problems of a list's elements, for which class-validator has one message and no place. */
function elementProblems(list: string, placeOf: PlaceOf, pointer: string): FieldProblem[] {
  return (JSON.parse(list) as ElementProblem[]).map(({ index, ...problem }) => ({
    ...placeOf(`${pointer}/${index}`),
    ...problem,
  }));
}

function repeated(parameter: string): FieldProblem {
  return { parameter, code: 'is-string', message: `${parameter} must be given once` };
}

function codeOf(rule: string): string {
  return rule === 'whitelistValidation'
    ? 'unknown-field'
    : rule.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

/** Of a path parameter, or of each parameter of a query. (A body is checked when it is parsed.) */
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
