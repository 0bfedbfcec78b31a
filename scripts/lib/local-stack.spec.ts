import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { repositoryRoot } from '../../local/servers/paths.js';
import { shownPath } from './local-stack.js';

describe('a displayed path', () => {
  it('is relative inside the checkout, and absolute outside', () => {
    expect(shownPath(join(repositoryRoot, 'logs/api.log'))).toBe('logs/api.log');
    expect(shownPath(`${repositoryRoot}-copy/logs/api.log`)).toBe(`${repositoryRoot}-copy/logs/api.log`);
  });
});
