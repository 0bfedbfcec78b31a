import { Body, Controller, Delete, Get, HttpCode, Post, Res } from '@nestjs/common';
import { ApiBearerAuth, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { ApiAnswer, ApiProblems, CurrentCaller, UuidParam, type Caller } from '../../platform/http/index.js';
import { PictureFileDto } from './dto/picture-file.dto.js';
import { PictureUploadDto } from './dto/picture-upload.dto.js';
import { PictureDto } from './dto/picture.dto.js';
import { PicturesService } from './pictures.service.js';

@ApiTags('pictures')
@ApiBearerAuth()
@Controller('v1/pictures')
export class PicturesController {
  constructor(private readonly pictures: PicturesService) {}

  @Post()
  @ApiOperation({
    operationId: 'createPicture',
    summary: 'Announce a picture; the answer says where to send its file',
  })
  @ApiAnswer(201, PictureUploadDto, ['Location'])
  @ApiProblems(400, 401, 413, 415, 422)
  async create(
    @CurrentCaller() { userId }: Caller,
    @Body() file: PictureFileDto,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<PictureUploadDto> {
    const created = await this.pictures.create(userId, file);
    reply.header('Location', `/v1/pictures/${created.id}`);
    return created;
  }

  @Post(':id/confirm')
  @HttpCode(200)
  @ApiOperation({ operationId: 'confirmPicture', summary: 'Report that the file of a picture was sent' })
  @ApiAnswer(200, PictureDto)
  @ApiProblems(401, 422, { 404: 'picture-not-found', 409: 'picture-not-sent' })
  confirm(@CurrentCaller() { userId }: Caller, @UuidParam('id') id: string): Promise<PictureDto> {
    return this.pictures.confirm(userId, id);
  }

  @Get(':id')
  @ApiOperation({ operationId: 'getPicture', summary: 'One picture of the caller, and where its file is' })
  @ApiAnswer(200, PictureDto)
  @ApiProblems(401, 422, { 404: 'picture-not-found' })
  get(@CurrentCaller() { userId }: Caller, @UuidParam('id') id: string): Promise<PictureDto> {
    return this.pictures.get(userId, id);
  }

  @Delete(':id')
  @HttpCode(204)
  @ApiOperation({ operationId: 'deletePicture', summary: 'Delete a picture and its file' })
  @ApiAnswer(204)
  @ApiProblems(401, 422, { 404: 'picture-not-found' })
  async delete(@CurrentCaller() { userId }: Caller, @UuidParam('id') id: string): Promise<void> {
    await this.pictures.delete(userId, id);
  }
}
