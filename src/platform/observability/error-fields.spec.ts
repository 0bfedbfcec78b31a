import { describe, expect, it } from 'vitest';
import { errorFields } from './error-fields.js';

describe('an error in the log', () => {
  it('shows allowed members only', () => {
    const error = Object.assign(new RangeError('refused'), {
      code: 'WRONGPASS',
      command: { name: 'hello', args: ['3', 'AUTH', 'app', 'a-password'] },
      input: 'redis://app:a-password@redis',
    });
    const fields = errorFields(error);
    expect(fields).toMatchObject({ type: 'RangeError', message: 'refused', code: 'WRONGPASS' });
    expect(fields?.stack).toContain('error-fields.spec');
    expect(JSON.stringify(fields)).not.toContain('a-password');
  });

  it('shows causes, also cyclic ones', () => {
    const error = new Error('outer', { cause: new Error('inner') });
    expect(errorFields(error)?.cause).toMatchObject({ message: 'inner' });
    const circle = new Error('round');
    circle.cause = circle;
    expect(JSON.stringify(errorFields(circle)).match(/round/g)!.length).toBeLessThan(20);
  });

  it('shows aggregated errors, and values that are no errors', () => {
    const fields = errorFields(new AggregateError([new Error('one'), new Error('two')], 'both'));
    expect(fields?.errors).toMatchObject([{ message: 'one' }, { message: 'two' }]);
    expect(errorFields('a text')).toEqual({ type: 'string', message: 'a text' });
    expect(errorFields(undefined)).toBeUndefined();
    expect(errorFields({ args: ['a-password'], message: 'odd' })).toMatchObject({ message: 'odd' });
  });
});
