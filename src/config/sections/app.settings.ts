import { IsArray, IsIn } from 'class-validator';
import { Setting } from '../setting.decorator.js';

export class AppSettings {
  /** The product's name for identifiers and for people; from `src/product.ts`, not from the environment. */
  readonly name!: string;
  readonly title!: string;
  readonly description!: string;

  @Setting('NODE_ENV', {
    default: 'development',
    describe:
      'Production rejects placeholder secrets, default server addresses and unencrypted connections, and turns the API documentation off.',
  })
  @IsIn(['development', 'test', 'production'])
  environment!: string;

  @Setting('LOG_LEVEL', { default: 'info', describe: 'Lowest level that is logged.' })
  @IsIn(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'])
  logLevel!: string;

  @Setting('PLAINTEXT_CONNECTIONS', {
    default: [],
    describe:
      'Variables whose connections may be unencrypted in production, because their network is private; for example DATABASE_URL.',
  })
  @IsArray()
  plaintextConnections!: string[];

  get isProduction(): boolean {
    return this.environment === 'production';
  }
}
