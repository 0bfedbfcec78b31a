import { createGunzip } from 'node:zlib';
import { pipeline } from 'node:stream';
import { Body, Controller, Get, Headers, HttpCode, Post, Res } from '@nestjs/common';
import { ApiBearerAuth, ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import {
  acceptsGzip,
  ApiAnswer,
  ApiProblems,
  CurrentCaller,
  UuidParam,
  type Caller,
  Priority,
} from '../../platform/http/index.js';
import { CreateExportDto } from './dto/create-export.dto.js';
import { ExportDto } from './dto/export.dto.js';
import { ExportsService } from './exports.service.js';

@ApiTags('exports')
@ApiBearerAuth()
@Controller('v1/exports')
export class ExportsController {
  constructor(private readonly exports: ExportsService) {}

  @Post()
  @Priority('low')
  @HttpCode(202)
  @ApiOperation({
    operationId: 'createExport',
    summary: 'Request a CSV file of the orders of the caller, or of all orders for admins',
  })
  @ApiAnswer(202, ExportDto, ['Location'])
  @ApiProblems(400, 401, 413, 415, 422)
  async create(
    @CurrentCaller() caller: Caller,
    @Body() body: CreateExportDto,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<ExportDto> {
    const created = await this.exports.request(caller, body);
    void reply.header('Location', `/v1/exports/${created.id}`);
    return created;
  }

  @Get(':id')
  @ApiOperation({ operationId: 'getExport', summary: 'Status and progress of an export of the caller' })
  @ApiAnswer(200, ExportDto)
  @ApiProblems(401, 422, { 404: 'export-not-found' })
  get(@CurrentCaller() caller: Caller, @UuidParam('id') id: string): Promise<ExportDto> {
    return this.exports.get(caller, id);
  }

  @Get(':id/file')
  @Priority('low')
  @ApiOperation({ operationId: 'downloadExport', summary: 'The file of a completed export of the caller' })
  @ApiResponse({ status: 200, description: '', content: { 'text/csv': { schema: { type: 'string' } } } })
  @ApiProblems(401, 406, 422, { 404: 'export-not-found', 409: 'export-not-ready' })
  async download(
    @CurrentCaller() caller: Caller,
    @UuidParam('id') id: string,
    @Headers('accept-encoding') acceptEncoding: string | undefined,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const { name, gzip } = await this.exports.open(caller, id);
    void reply.headers({
      'Content-Type': 'text/csv; charset=utf-8',
      'Content-Disposition': `attachment; filename="${name}"`,
      'Cache-Control': 'private, no-store',
      Vary: 'Accept-Encoding',
    });
    if (acceptsGzip(acceptEncoding)) {
      void reply.header('Content-Encoding', 'gzip').send(gzip);
      return;
    }
    // An error on either side ends both; Fastify sees it on the stream that it sends and aborts the answer.
    void reply.send(pipeline(gzip, createGunzip(), () => undefined));
  }
}
