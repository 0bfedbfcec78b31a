import { Transform } from 'class-transformer';
import { describe, expect, it } from 'vitest';
import { ClientError, type FieldProblem } from '../../errors/index.js';
import {
  DateTimeField,
  EmailField,
  EnumField,
  IntField,
  IntListField,
  ListField,
  ObjectField,
  StringField,
  UuidField,
} from './fields.js';
import { PageQuery } from './pagination.js';
import { ValidationPipe } from './validation.pipe.js';

class Line {
  @UuidField() itemId!: string;
  @IntField({ min: 1, max: 1000 }) quantity!: number;
}
class Address {
  @StringField({ min: 1 }) street!: string;
}
class Input {
  @ListField(() => Line, { min: 1, max: 2, optional: true }) items?: Line[];
  @EmailField({ optional: true }) email?: string;
  @StringField({ max: 5, optional: true, nullable: true }) note?: string | null;
  @EnumField(['a', 'b'], { optional: true }) kind?: string;
  @DateTimeField({ optional: true }) from?: string;
  @ObjectField(() => Address, { optional: true }) address?: Address;
  @IntListField({ max: 3, optional: true, each: { min: 1, max: 9 } }) counts?: number[];
}

const pipe = new ValidationPipe();
const id = '0190d5a0-0000-7000-8000-000000000000';

function problemsOf(
  value: unknown,
  metatype: unknown = Input,
  type: 'body' | 'query' = 'body',
): FieldProblem[] {
  try {
    pipe.transform(value, { type, metatype: metatype as never });
  } catch (error) {
    expect(error).toBeInstanceOf(ClientError);
    expect(error).toMatchObject({ status: 422, code: 'validation-failed' });
    return (error as ClientError).extensions.errors as FieldProblem[];
  }
  return [];
}

describe('validation of input', () => {
  it.each([
    [{ counts: [] }, []],
    [{ counts: [1, 9] }, []],
    [{ counts: 1 }, [expect.objectContaining({ pointer: '/counts', code: 'is-array' })]],
    [{ counts: [1, 1, 1, 1] }, [expect.objectContaining({ pointer: '/counts', code: 'array-max-size' })]],
    [
      { counts: [0, '1', 10] },
      [
        { pointer: '/counts/0', code: 'min', message: 'element 0 must not be less than 1' },
        { pointer: '/counts/1', code: 'is-int', message: 'element 1 must be an integer number' },
        { pointer: '/counts/2', code: 'max', message: 'element 2 must not be greater than 9' },
      ],
    ],
  ])('names each bad number of a list: %j', (body, problems) => {
    expect(problemsOf(body)).toEqual(problems);
  });

  it('returns a valid body as its DTO', () => {
    const dto = pipe.transform(
      { items: [{ itemId: id, quantity: 2 }], note: null },
      { type: 'body', metatype: Input },
    );
    expect(dto).toBeInstanceOf(Input);
    expect((dto as Input).items?.[0]).toBeInstanceOf(Line);
  });

  it.each([0, -1, 1.5, 2 ** 53, '2', null, true, Number.NaN])(
    'rejects the quantity %s with a pointer to it',
    (quantity) => {
      expect(problemsOf({ items: [{ itemId: id, quantity }] })).toEqual([
        expect.objectContaining({ pointer: '/items/0/quantity' }),
      ]);
    },
  );

  it('reports every problem at once', () => {
    const problems = problemsOf({ email: 'nobody', kind: 'c', from: 'yesterday', items: [] });
    expect(problems.map(({ pointer }) => pointer)).toEqual(['/items', '/email', '/kind', '/from']);
  });

  it.each([
    [{ surprise: 1 }, '/surprise', 'unknown-field'],
    [{ address: { street: 'x', 'a/b': 1 } }, '/address/a~1b', 'unknown-field'],
    [{ note: 'too long' }, '/note', 'max-length'],
    [{ email: `${'a'.repeat(250)}@example.com` }, '/email', 'max-length'],
    [{ address: [] }, '/address', undefined],
    [{ items: [1] }, '/items', undefined],
    [{ items: {} }, '/items', 'is-array'],
    [{ from: '2026-02-30T00:00:00Z' }, '/from', undefined],
  ])('rejects %j at %s', (body, pointer, code) => {
    const [problem] = problemsOf(body);
    expect(problem?.pointer?.startsWith(pointer)).toBe(true);
    if (code) expect(problem?.code).toBe(code);
  });

  it.each([undefined, null, 'text', 5, []])('rejects the body %j as a whole', (body) => {
    expect(problemsOf(body)).toEqual([
      { pointer: '', code: 'is-object', message: 'a JSON object is required' },
    ]);
  });

  it('lists fifty of many problems and reports that', () => {
    const body = Object.fromEntries(Array.from({ length: 1000 }, (_, index) => [`m${index}`, 0]));
    try {
      pipe.transform(body, { type: 'body', metatype: Input });
      expect.unreachable();
    } catch (error) {
      expect((error as ClientError).message).toBe('The input has 1000 errors; the first 50 are listed.');
      expect((error as ClientError).extensions.errors).toHaveLength(50);
    }
  });

  it('repeats only the beginning of a long name', () => {
    const [problem] = problemsOf({ ['m'.repeat(10_000)]: 0 });
    expect(problem?.pointer).toBe(`/${'m'.repeat(100)}…`);
    expect(problem?.message.length).toBeLessThan(200);
  });

  it('does not transform unknown members', () => {
    const seen: string[] = [];
    class Curious {
      @Transform(({ obj, value }: { obj: object; value: unknown }) => {
        seen.push(...Object.keys(obj));
        return value;
      })
      @StringField()
      name!: string;
    }
    expect(problemsOf({ name: 'x', other: 1 }, Curious)).toEqual([
      { pointer: '/other', code: 'unknown-field', message: 'other is not a known field' },
    ]);
    expect(seen).toEqual(['name']);
  });

  it.each([
    ['a\0b', 'no-nul'],
    ['\ud800', 'is-well-formed'],
    ['a\udfff', 'is-well-formed'],
  ])('rejects the text %j in a query and in a path', (text, code) => {
    class Search {
      @StringField() q!: string;
    }
    expect(problemsOf({ q: text }, Search, 'query')).toMatchObject([{ parameter: 'q', code }]);
    expect(problemsOf({ q: ['a', text] }, Search, 'query')).toMatchObject([{ parameter: 'q', code }]);
    expect(() => pipe.transform(text, { type: 'param', metatype: String, data: 'id' })).toThrow(ClientError);
  });

  it.each(['0', '101', '-1', '1.5', 'many', ''])(
    'rejects the query limit=%s with the name of the parameter',
    (limit) => {
      expect(problemsOf({ limit }, PageQuery, 'query')).toEqual([
        expect.objectContaining({ parameter: 'limit' }),
      ]);
    },
  );

  it('parses a limit, with 20 as its default', () => {
    expect(pipe.transform({ limit: '7' }, { type: 'query', metatype: PageQuery })).toMatchObject({
      limit: 7,
    });
    expect(pipe.transform({}, { type: 'query', metatype: PageQuery })).toMatchObject({ limit: 20 });
  });

  it('leaves path parameters and undecorated values to their own pipes', () => {
    expect(pipe.transform('x', { type: 'param', metatype: String })).toBe('x');
    expect(pipe.transform({ a: 1 }, { type: 'body', metatype: Object })).toEqual({ a: 1 });
  });
});
