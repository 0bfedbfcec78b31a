import { Module } from '@nestjs/common';
import { CpuModule } from '../../platform/cpu/index.js';
import { TypeOrmModule } from '@nestjs/typeorm';
import { Passwords } from './passwords.js';
import { User } from './user.entity.js';
import { UsersController } from './users.controller.js';
import { UsersRepository } from './users.repository.js';
import { UsersService } from './users.service.js';

@Module({
  imports: [TypeOrmModule.forFeature([User]), CpuModule],
  controllers: [UsersController],
  providers: [UsersService, UsersRepository, Passwords],
  exports: [UsersService],
})
export class UsersModule {}
