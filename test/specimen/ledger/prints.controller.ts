import { Controller, Get, HttpCode, Post } from '@nestjs/common';
import { ApiBearerAuth, ApiOperation, ApiTags } from '@nestjs/swagger';
import {
  ApiAnswer,
  ApiProblems,
  CurrentCaller,
  UuidParam,
  type Caller,
} from '../../../src/platform/http/index.js';
import { PrintDto } from './ledger.dto.js';
import { PrintsService } from './prints.service.js';

@ApiTags('prints')
@ApiBearerAuth()
@Controller('v1/accounts/:id/prints')
export class PrintsController {
  constructor(private readonly prints: PrintsService) {}

  @Post()
  @HttpCode(202)
  @ApiOperation({ operationId: 'orderPrint', summary: 'Have the statement of an own account printed' })
  @ApiAnswer(202, PrintDto)
  @ApiProblems(401, 422, { 404: 'account-not-found' })
  order(@UuidParam('id') accountId: string, @CurrentCaller() caller: Caller): Promise<PrintDto> {
    return this.prints.order(caller.userId, accountId);
  }

  @Get(':printId')
  @ApiOperation({ operationId: 'getPrint', summary: 'How often a statement was printed' })
  @ApiAnswer(200, PrintDto)
  @ApiProblems(401, 422, { 404: ['account-not-found', 'print-not-found'] })
  get(
    @UuidParam('id') accountId: string,
    @UuidParam('printId') id: string,
    @CurrentCaller() caller: Caller,
  ): Promise<PrintDto> {
    return this.prints.get(caller.userId, accountId, id);
  }
}
