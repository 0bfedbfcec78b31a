import { IsIn } from 'class-validator';
import { Setting } from '../setting.decorator.js';

export class AppSettings {
  @Setting('NODE_ENV', {
    default: 'development',
    describe: 'Production refuses placeholder secrets and turns the docs off.',
  })
  @IsIn(['development', 'test', 'production'])
  environment!: string;

  @Setting('LOG_LEVEL', { default: 'info', describe: 'Least severe level that is logged.' })
  @IsIn(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'])
  logLevel!: string;

  get isProduction(): boolean {
    return this.environment === 'production';
  }
}
