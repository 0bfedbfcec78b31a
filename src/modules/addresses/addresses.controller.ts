import { Body, Controller, Delete, Get, Headers, HttpCode, Post, Put, Query, Res } from '@nestjs/common';
import { ApiBearerAuth, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import {
  ApiAnswer,
  ApiPage,
  ApiProblems,
  CurrentCaller,
  PageQuery,
  Priority,
  UuidParam,
  type Caller,
  type Page,
} from '../../platform/http/index.js';
import { AddressesService } from './addresses.service.js';
import { AddressFieldsDto } from './dto/address-fields.dto.js';
import { AddressDto } from './dto/address.dto.js';

@ApiTags('addresses')
@ApiBearerAuth()
@Controller('v1/addresses')
export class AddressesController {
  constructor(private readonly addresses: AddressesService) {}

  @Get()
  @Priority('low')
  @ApiOperation({ operationId: 'listAddresses', summary: 'Delivery addresses of the caller, newest first' })
  @ApiPage(AddressDto)
  @ApiProblems(401, 422)
  list(@CurrentCaller() { userId }: Caller, @Query() query: PageQuery): Promise<Page<AddressDto>> {
    return this.addresses.list(userId, query);
  }

  @Get(':id')
  @ApiOperation({ operationId: 'getAddress', summary: 'One delivery address of the caller' })
  @ApiAnswer(200, AddressDto, ['ETag'])
  @ApiProblems(401, 422, { 404: 'address-not-found' })
  async get(
    @CurrentCaller() { userId }: Caller,
    @UuidParam('id') id: string,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<AddressDto> {
    const { etag, address } = await this.addresses.get(userId, id);
    reply.header('ETag', etag);
    return address;
  }

  @Post()
  @ApiOperation({ operationId: 'createAddress', summary: 'Add a delivery address' })
  @ApiAnswer(201, AddressDto, ['Location', 'ETag'])
  @ApiProblems(400, 401, 413, 415, 422)
  async create(
    @CurrentCaller() { userId }: Caller,
    @Body() fields: AddressFieldsDto,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<AddressDto> {
    const { etag, address } = await this.addresses.create(userId, fields);
    reply.header('Location', `/v1/addresses/${address.id}`).header('ETag', etag);
    return address;
  }

  @Put(':id')
  @ApiOperation({
    operationId: 'changeAddress',
    summary: 'Change a delivery address, if it is still the version that was read',
  })
  @ApiAnswer(200, AddressDto, ['ETag'])
  @ApiProblems(400, 401, 412, 413, 415, 422, 428, { 404: 'address-not-found' })
  async change(
    @CurrentCaller() { userId }: Caller,
    @UuidParam('id') id: string,
    @Headers('if-match') ifMatch: string | undefined,
    @Body() fields: AddressFieldsDto,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<AddressDto> {
    const { etag, address } = await this.addresses.change(userId, id, ifMatch, fields);
    reply.header('ETag', etag);
    return address;
  }

  @Delete(':id')
  @HttpCode(204)
  @ApiOperation({ operationId: 'deleteAddress', summary: 'Delete a delivery address' })
  @ApiAnswer(204)
  @ApiProblems(401, 422, { 404: 'address-not-found' })
  async delete(@CurrentCaller() { userId }: Caller, @UuidParam('id') id: string): Promise<void> {
    await this.addresses.delete(userId, id);
  }
}
