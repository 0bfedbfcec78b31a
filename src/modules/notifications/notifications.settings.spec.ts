import { describe, expect, it } from 'vitest';
import { loadSettings } from '../../config/index.js';
import { PRODUCT } from '../../product.js';

/** The errors about the mail server in production, without the other missing settings. */
function problemsOf(url: string): string[] {
  try {
    loadSettings({ NODE_ENV: 'production', SMTP_URL: url }, PRODUCT);
    return [];
  } catch (error) {
    return (error as { problems: string[] }).problems.filter((problem) => problem.startsWith('SMTP_URL'));
  }
}

describe('the mail server in production', () => {
  it.each(['smtps://mail.internal', 'smtp://mail.internal:587?requireTLS=true'])('may be %s', (url) => {
    expect(problemsOf(url)).toEqual([]);
  });

  it.each(['', 'smtp://mail.internal:587'])('must not be "%s"', (url) => {
    expect(problemsOf(url)).toEqual([
      expect.stringMatching(/must be (set|encrypted) when NODE_ENV=production/),
    ]);
  });
});
