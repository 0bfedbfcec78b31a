import { IsBoolean, IsOptional, MinLength } from 'class-validator';
import { Setting } from '../setting.decorator.js';

export class FaultsSettings {
  @Setting('FAULTS_ENABLED', {
    default: false,
    describe:
      'Enables fault injection on the management port (slow, fail or block dependencies and routes); not allowed in production.',
  })
  @IsBoolean()
  enabled!: boolean;

  @Setting('FAULTS_TOKEN', {
    secret: true,
    describe: 'Bearer token of the fault routes, at least 16 characters; required when FAULTS_ENABLED=true.',
  })
  @IsOptional()
  @MinLength(16)
  token?: string;
}
