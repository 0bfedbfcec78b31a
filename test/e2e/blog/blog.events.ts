import { defineEvent } from '../../../src/platform/messaging/index.js';

/** One for each reader of a new article. */
export const articleReached = defineEvent<{ articleId: string; userId: string }>('article.reached', {
  consumers: ['readers'],
});
