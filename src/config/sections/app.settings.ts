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
      'Production refuses placeholder secrets, servers left on their defaults and unencrypted connections, and turns the docs off.',
  })
  @IsIn(['development', 'test', 'production'])
  environment!: string;

  @Setting('LOG_LEVEL', { default: 'info', describe: 'Least severe level that is logged.' })
  @IsIn(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'])
  logLevel!: string;

  @Setting('PLAINTEXT_CONNECTIONS', {
    default: [],
    describe:
      'Variables whose connections may go unencrypted in production, because nobody else can read that network; for example DATABASE_URL.',
  })
  @IsArray()
  plaintextConnections!: string[];

  get isProduction(): boolean {
    return this.environment === 'production';
  }
}
