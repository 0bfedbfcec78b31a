import { describe, expect, it } from 'vitest';
import { loadSettings, redactor, secretTexts } from './index.js';

describe('the secrets of the settings', () => {
  const settings = loadSettings({
    FAULTS_TOKEN: 'a "quoted" secret of thirty-two letters',
    REDIS_URL: 'redis://:pass%2Fword@redis.internal:6379',
    DATABASE_REPLICA_URLS: 'postgresql://reader:first-one@r1/app,postgresql://reader:second-one@r2/app',
  });
  const redact = redactor(secretTexts(settings));

  it.each([
    ['as it is', 'before a "quoted" secret of thirty-two letters after'],
    ['in JSON', JSON.stringify('before a "quoted" secret of thirty-two letters after')],
    ['as the password of a URL', 'before pass%2Fword after'],
    ['as that password is sent', 'before pass/word after'],
    ['in a list', 'before second-one after'],
  ])('are removed from a text: %s', (_, text) => {
    expect(redact(text).replaceAll('"', '')).toBe('before [redacted] after');
  });

  it('leave other text unchanged', () => {
    const text = 'connect ECONNREFUSED redis.internal:6379';
    expect(redact(text)).toBe(text);
  });
});
