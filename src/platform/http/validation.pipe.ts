import { Injectable, type ArgumentMetadata, type PipeTransform, type Type } from '@nestjs/common';
import { plainToInstance } from 'class-transformer';
import { validateSync, type ValidationError } from 'class-validator';
import { ClientError, type FieldProblem } from '../errors/index.js';

/** Levels of nesting, far beyond any DTO. What follows is recursive, and must not run out of stack for a body of brackets. */
const DEEPEST = 20;

/** Checks bodies and queries against their DTO: every problem at once, unknown members refused, nothing coerced. */
@Injectable()
export class ValidationPipe implements PipeTransform {
  /** @throws ClientError 422 `validation-failed` naming each member by JSON pointer (body) or parameter (query). */
  transform(value: unknown, { type, metatype }: ArgumentMetadata): unknown {
    if (!metatype || !isDto(metatype) || (type !== 'body' && type !== 'query')) return value;
    if (!isPlainObject(value)) {
      throw invalid([
        { ...(type === 'body' && { pointer: '' }), code: 'is-object', message: 'a JSON object is required' },
      ]);
    }
    if (isDeeperThan(value, DEEPEST)) {
      throw invalid([
        { ...(type === 'body' && { pointer: '' }), code: 'is-shallow', message: 'it is nested too deeply' },
      ]);
    }
    const dto = plainToInstance(metatype, value) as object;
    const failures = validateSync(dto, {
      whitelist: true,
      forbidNonWhitelisted: true,
      forbidUnknownValues: false,
      stopAtFirstError: true,
    });
    const problems = [
      ...problemsOf(failures, type === 'body'),
      ...droppedMembers(value, dto, type === 'body'),
    ];
    if (problems.length > 0) throw invalid(problems);
    return dto;
  }
}

function invalid(errors: FieldProblem[]): ClientError {
  return new ClientError({
    status: 422,
    code: 'validation-failed',
    detail:
      errors.length === 1
        ? `One thing is wrong: ${errors[0]?.message}`
        : `${errors.length} things are wrong.`,
    errors,
  });
}

function problemsOf(failures: ValidationError[], isBody: boolean, prefix = ''): FieldProblem[] {
  return failures.flatMap(({ property, constraints = {}, children = [] }) => {
    const pointer = `${prefix}/${escapePointer(property)}`;
    const place = isBody ? { pointer } : { parameter: pointer.slice(1) };
    return [
      ...Object.entries(constraints).map(([rule, message]) => ({
        ...place,
        code: codeOf(rule),
        message: textOf(rule, message, property),
      })),
      ...problemsOf(children, isBody, pointer),
    ];
  });
}

/** class-transformer drops what has the name of an inherited method (`toString`) without a word; it is unknown all the same. */
function droppedMembers(given: object, taken: object, isBody: boolean, prefix = ''): FieldProblem[] {
  return Object.entries(given).flatMap(([name, value]: [string, unknown]) => {
    const pointer = `${prefix}/${escapePointer(name)}`;
    if (!Object.hasOwn(taken, name)) {
      const place = isBody ? { pointer } : { parameter: pointer.slice(1) };
      return [{ ...place, code: 'unknown-field', message: `${name} is not a known field` }];
    }
    const kept = (taken as Record<string, unknown>)[name];
    return isObject(value) && isObject(kept) ? droppedMembers(value, kept, isBody, pointer) : [];
  });
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

function codeOf(rule: string): string {
  return rule === 'whitelistValidation'
    ? 'unknown-field'
    : rule.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

function textOf(rule: string, message: string, property: string): string {
  return rule === 'whitelistValidation' ? `${property} is not a known field` : message;
}

/** RFC 6901 section 3. */
function escapePointer(token: string): string {
  return token.replaceAll('~', '~0').replaceAll('/', '~1');
}

function isDeeperThan(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return levels === 0 || Object.values(value).some((member) => isDeeperThan(member, levels - 1));
}

function isDto(metatype: unknown): metatype is Type<object> {
  return (
    typeof metatype === 'function' && ![String, Boolean, Number, Array, Object].includes(metatype as never)
  );
}

function isPlainObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
