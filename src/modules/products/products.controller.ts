import { Body, Controller, Get, Headers, HttpCode, Patch, Post, Query, Req, Res } from '@nestjs/common';
import { ApiBearerAuth, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { staleStatus, type Cached } from '../../platform/cache/index.js';
import {
  ApiAnswer,
  ApiPage,
  ApiProblems,
  Compressed,
  isNotModified,
  PageQuery,
  preconditionRequired,
  Public,
  RequireRole,
  strongTags,
  UuidParam,
  Priority,
} from '../../platform/http/index.js';
import { ChangeProductDto } from './dto/change-product.dto.js';
import { CreateProductDto } from './dto/create-product.dto.js';
import { ProductDto } from './dto/product.dto.js';
import { versionIn, type Rendered } from './product.document.js';
import { ProductsCatalogue } from './products.catalogue.js';
import { productNotFound, ProductsService } from './products.service.js';

const JSON_TYPE = 'application/json; charset=utf-8';

/** Answers are rendered once per version and sent unchanged: the cache holds the text. */
@ApiTags('products')
@Controller('v1/products')
export class ProductsController {
  constructor(
    private readonly catalogue: ProductsCatalogue,
    private readonly products: ProductsService,
  ) {}

  @Get()
  @Priority('low', { cached: true })
  @Compressed()
  @Public()
  @ApiOperation({ operationId: 'listProducts', summary: 'All products, newest first' })
  @ApiPage(ProductDto)
  @ApiAnswer(304)
  @ApiProblems(422)
  async list(
    @Query() query: PageQuery,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    answer(request, reply, await this.catalogue.page(query));
  }

  /** Not `async`: a cached product is answered without a turn of the event loop. */
  @Get(':id')
  @Priority('normal', { cached: true })
  @Public()
  @ApiOperation({ operationId: 'getProduct', summary: 'One product' })
  @ApiAnswer(200, ProductDto, ['ETag'])
  @ApiAnswer(304)
  @ApiProblems(422, { 404: 'product-not-found' })
  get(
    @UuidParam('id') id: string,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): void | Promise<void> {
    const product = this.catalogue.find(id);
    if (!(product instanceof Promise)) return answer(request, reply, product);
    return product.then((found) => answer(request, reply, found));
  }

  @Post()
  @RequireRole('admin')
  @ApiBearerAuth()
  @ApiOperation({ operationId: 'createProduct', summary: 'Add a product (admin)' })
  @ApiAnswer(201, ProductDto, ['Location', 'ETag'])
  @ApiProblems(400, 401, 403, 413, 415, 422)
  async create(@Body() product: CreateProductDto, @Res() reply: FastifyReply): Promise<void> {
    const { id, etag, body } = await this.products.create(product);
    void reply.header('Location', `/v1/products/${id}`).header('ETag', etag).type(JSON_TYPE).send(body);
  }

  @Patch(':id')
  @RequireRole('admin')
  @HttpCode(200)
  @ApiBearerAuth()
  @ApiOperation({
    operationId: 'changeProduct',
    summary: 'Change a product, if it is still the version that was read (admin)',
  })
  @ApiAnswer(200, ProductDto, ['ETag'])
  @ApiProblems(400, 401, 403, 412, 413, 415, 422, 428, { 404: 'product-not-found' })
  async change(
    @UuidParam('id') id: string,
    @Headers('if-match') ifMatch: string | undefined,
    @Body() changes: ChangeProductDto,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const { etag, body } = await this.products.change(id, versionsIn(ifMatch), changes);
    void reply.header('ETag', etag).type(JSON_TYPE).send(body);
  }
}

function answer(request: FastifyRequest, reply: FastifyReply, cached: Cached<Rendered> | undefined): void {
  if (!cached) throw productNotFound();
  const { etag, body } = cached.value;
  // Clients may keep it, but must revalidate it each time: an answer of a few bytes.
  reply.header('ETag', etag).header('Cache-Control', 'no-cache');
  if (cached.stale) reply.header('Cache-Status', staleStatus(cached));
  if (isNotModified(request, etag)) void reply.code(304).send();
  else void reply.type(JSON_TYPE).send(body);
}

/** The versions that an `If-Match` names; undefined for `*`. */
function versionsIn(ifMatch: string | undefined): number[] | undefined {
  if (ifMatch === undefined) throw preconditionRequired();
  const tags = strongTags(ifMatch);
  return tags === '*' ? undefined : tags.map(versionIn).filter((version) => version !== undefined);
}
