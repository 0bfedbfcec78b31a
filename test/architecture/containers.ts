import 'reflect-metadata';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describeSettings } from '../../src/config/index.js';
import { PRODUCT } from '../../src/product.js';
import { HealthController } from '../../src/platform/health/health.controller.js';
import { parseDockerfile } from './dockerfile.js';

export const root = join(import.meta.dirname, '../..');

export const read = (path: string) => readFileSync(join(root, path), 'utf8');

export const stages = parseDockerfile(read('Dockerfile'));

export const settings = describeSettings(PRODUCT).flatMap((section) => section.settings);

export const defaultOf = (name: string) => Number(settings.find((setting) => setting.name === name)?.default);

/** What the probes of the product are called, as the health controller declares it. */
export const probes = Object.getOwnPropertyNames(HealthController.prototype).flatMap((method) => {
  const handler = HealthController.prototype[method as keyof HealthController] as object;
  const path = Reflect.getMetadata('path', handler) as string | undefined;
  return path ? [`/${String(Reflect.getMetadata('path', HealthController))}/${path}`] : [];
});
