import { Module, type DynamicModule } from '@nestjs/common';
import { ConfigModule } from '@nestjs/config';
import { Settings } from './settings.js';

/**
 * Makes the already validated settings injectable: as `Settings`, whole and typed, and through `ConfigService`
 * for libraries that ask for it. `.env` is read by the entry, before Nest exists, so that nothing has connected when it is wrong.
 */
@Module({})
export class SettingsModule {
  static forRoot(settings: Settings): DynamicModule {
    return {
      module: SettingsModule,
      global: true,
      imports: [
        ConfigModule.forRoot({
          isGlobal: true,
          ignoreEnvFile: true,
          skipProcessEnv: true,
          load: [() => Object.fromEntries(Object.entries(settings))],
        }),
      ],
      providers: [{ provide: Settings, useValue: settings }],
      exports: [Settings],
    };
  }
}
