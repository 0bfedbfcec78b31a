import { ApiProperty } from '@nestjs/swagger';
import type { ProblemFormat } from '../../../src/platform/http/index.js';

class BlogErrors {
  @ApiProperty({ type: 'array', items: { type: 'string' } }) errors!: string[];
  @ApiProperty({ type: 'string' }) request!: string;
}

/** Errors in other words than RFC 9457; of one of them it makes a mistake. */
export const BLOG_ERRORS: ProblemFormat = {
  mediaType: 'application/vnd.blog+json',
  model: BlogErrors,
  body: ({ code, instance, requestId }) => {
    if (code === 'email-taken') throw new Error('a mistake in the format');
    return { errors: [code, instance], request: requestId };
  },
};
