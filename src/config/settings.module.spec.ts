import { Injectable, Module } from '@nestjs/common';
import { ConfigService } from '@nestjs/config';
import { NestFactory } from '@nestjs/core';
import { afterEach, expect, it } from 'vitest';
import type { INestApplicationContext } from '@nestjs/common';
import { loadSettings, Settings, SettingsModule } from './index.js';

@Injectable()
class Feature {
  constructor(
    readonly settings: Settings,
    readonly configuration: ConfigService,
  ) {}
}

const settings = loadSettings({ DATABASE_POOL_SIZE: '7' });

@Module({ imports: [SettingsModule.forRoot(settings)], providers: [Feature] })
class Application {}

let context: INestApplicationContext;

afterEach(() => context.close());

it('provides one settings tree to every feature, typed and through ConfigService', async () => {
  context = await NestFactory.createApplicationContext(Application, { logger: false });
  const feature = context.get(Feature);

  expect(feature.settings).toBe(settings);
  expect(feature.configuration.get('database.poolSize')).toBe(7);
  expect(feature.configuration.get('database.url')).toBe(settings.database.url);
  expect(feature.configuration.get('PATH')).toBeUndefined();
});
