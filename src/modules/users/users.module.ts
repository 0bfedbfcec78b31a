import { Module } from '@nestjs/common';
import { CpuModule } from '../../platform/cpu/index.js';
import { TypeOrmModule } from '@nestjs/typeorm';
import { Passwords } from './passwords.js';
import { User } from './user.entity.js';
import { UsersController } from './users.controller.js';
import { UsersService } from './users.service.js';

@Module({
  imports: [TypeOrmModule.forFeature([User]), CpuModule],
  controllers: [UsersController],
  providers: [UsersService, Passwords],
  exports: [UsersService],
})
export class UsersModule {}
