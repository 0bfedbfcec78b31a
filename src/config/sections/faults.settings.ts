import { IsBoolean, IsOptional, MinLength } from 'class-validator';
import { Setting } from '../setting.decorator.js';

export class FaultsSettings {
  @Setting('FAULTS_ENABLED', {
    default: false,
    describe:
      'Lets the management port slow, fail or block dependencies and routes, to rehearse; refused in production.',
  })
  @IsBoolean()
  enabled!: boolean;

  @Setting('FAULTS_TOKEN', {
    secret: true,
    describe: 'Bearer token of the fault routes, at least 16 characters; needed when FAULTS_ENABLED=true.',
  })
  @IsOptional()
  @MinLength(16)
  token?: string;
}
