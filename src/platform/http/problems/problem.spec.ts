import {
  ForbiddenException,
  InternalServerErrorException,
  ServiceUnavailableException,
} from '@nestjs/common';
import { describe, expect, it } from 'vitest';
import {
  asProblem,
  BusinessRuleError,
  ClientError,
  TransientError,
  UnknownOutcomeError,
} from '../../errors/index.js';
import { problemDocument } from './problem.js';

describe('problem documents', () => {
  it('have the members of RFC 9457 and our own', () => {
    const error = new BusinessRuleError({
      status: 409,
      code: 'not-enough-left',
      detail: 'Two are left.',
      extensions: { available: 2 },
    });
    expect(problemDocument(error, 'request-1', '/v1/things')).toEqual({
      type: 'urn:problem-type:not-enough-left',
      title: 'Conflict',
      status: 409,
      detail: 'Two are left.',
      instance: '/v1/things',
      code: 'not-enough-left',
      requestId: 'request-1',
      available: 2,
    });
  });

  it('link to the published catalogue', () => {
    const error = new ClientError({ status: 404, code: 'not-found', detail: 'Nothing there.' });
    expect(problemDocument(error, 'r', '/', 'https://docs.example/problems#').type).toBe(
      'https://docs.example/problems#not-found',
    );
  });

  it('use registered types where they exist', () => {
    const error = new ClientError({ status: 429, code: 'quota-exceeded', detail: 'Enough.' });
    expect(problemDocument(error, 'r', '/', 'https://docs.example/problems#').type).toBe(
      'https://iana.org/assignments/http-problem-types#quota-exceeded',
    );
  });

  it('reveal nothing of a bug', () => {
    const document = problemDocument(new Error('password=hunter2 in /srv/secret.ts'), 'r', '/');
    expect(document).toMatchObject({ status: 500, code: 'internal-error' });
    expect(JSON.stringify(document)).not.toContain('hunter2');
    expect(problemDocument('just a string', 'r', '/').status).toBe(500);
    expect(problemDocument(undefined, 'r', '/').status).toBe(500);
  });

  it('map rejections of the framework to the taxonomy', () => {
    expect(asProblem(new ForbiddenException())).toMatchObject({ status: 403, code: 'forbidden' });
    expect(asProblem(new ServiceUnavailableException())).toBeInstanceOf(TransientError);
    expect(asProblem(new InternalServerErrorException('secret'))).toBeUndefined();
    expect(asProblem(Object.assign(new Error('too big'), { statusCode: 413 }))).toMatchObject({
      status: 413,
      code: 'body-too-large',
    });
    expect(asProblem(Object.assign(new Error('teapot'), { statusCode: 418 }))).toMatchObject({
      status: 418,
      code: 'client-error',
    });
  });

  it('have a Retry-After', () => {
    expect(new TransientError({ code: 'x', detail: 'y', retryAfterSeconds: 3 }).headers).toEqual({
      'Retry-After': '3',
    });
    expect(problemDocument(new UnknownOutcomeError({ code: 'x', detail: 'y' }), 'r', '/').status).toBe(504);
  });
});
