import { Body, Controller, Get, HttpCode, Post, Put } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import { CurrentCaller, type Caller } from '../../../src/platform/http/index.js';
import type { Payee } from './payee.entity.js';
import { AddPayeeDto, SortPayeesDto } from './payees.dto.js';
import { PayeesService } from './payees.service.js';

@ApiExcludeController()
@Controller('v1/payees')
export class PayeesController {
  constructor(private readonly payees: PayeesService) {}

  @Get()
  list(@CurrentCaller() { userId }: Caller): Promise<Payee[]> {
    return this.payees.list(userId);
  }

  @Post()
  add(@CurrentCaller() { userId }: Caller, @Body() { name }: AddPayeeDto): Promise<Payee> {
    return this.payees.add(userId, name);
  }

  @Put('order')
  @HttpCode(204)
  sort(@CurrentCaller() { userId }: Caller, @Body() { ids }: SortPayeesDto): Promise<void> {
    return this.payees.sort(userId, ids);
  }
}
