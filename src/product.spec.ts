import { globSync } from 'node:fs';
import { basename } from 'node:path';
import { describe, expect, it } from 'vitest';
import { PRODUCT } from './product.js';

describe('the product', () => {
  it('registers the settings of every feature', () => {
    const features = globSync('src/modules/*/*.settings.ts').map((file) => basename(file, '.settings.ts'));

    expect(Object.keys(PRODUCT.settings)).toEqual(expect.arrayContaining(features));
  });

  it('has a name that can be part of other names', () => {
    expect(PRODUCT.name).toMatch(/^[a-z][a-z0-9-]*$/);
  });
});
