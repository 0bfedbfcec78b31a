import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { repositoryRoot } from '../../local/servers/paths.js';
import { shownPath } from './local-stack.js';

describe('a path, as it is shown', () => {
  it('is relative to the checkout when it is inside, and whole when it is beside', () => {
    expect(shownPath(join(repositoryRoot, 'logs/api.log'))).toBe('logs/api.log');
    expect(shownPath(`${repositoryRoot}-copy/logs/api.log`)).toBe(`${repositoryRoot}-copy/logs/api.log`);
  });
});
