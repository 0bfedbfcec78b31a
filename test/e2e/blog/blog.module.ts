import { Body, Controller, Delete, Get, HttpCode, Module, Param, Post, Query, Res } from '@nestjs/common';
import { ApiBearerAuth, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import {
  AccessToken,
  ApiAnswer,
  ApiOffsetPage,
  ApiProblems,
  CurrentCaller,
  IntParam,
  OptionalCaller,
  StringParam,
  UuidParam,
  type Caller,
  type OffsetPage,
} from '../../../src/platform/http/index.js';
import {
  Idempotency,
  IdempotencyKeyHeader,
  IdempotencyModule,
  sendAnswer,
  type IdempotentRequest,
} from '../../../src/platform/idempotency/index.js';
import { MessagingModule } from '../../../src/platform/messaging/index.js';
import { ArticlesService } from './articles.service.js';
import {
  ArticleBody,
  ArticleDto,
  ArticleQuery,
  CommentDto,
  CommentPath,
  NewArticleBody,
  NewCommentDto,
  TokenDto,
} from './blog.dto.js';
import { articleReached } from './blog.events.js';

const Slug = () => StringParam('slug', { min: 1, max: 100, pattern: /^[a-z0-9-]+$/, patternName: 'a slug' });

@ApiTags('blog')
@ApiBearerAuth()
@Controller('v1/articles')
export class ArticlesController {
  constructor(
    private readonly articles: ArticlesService,
    private readonly idempotency: Idempotency,
  ) {}

  @Get()
  @ApiOffsetPage(ArticleDto)
  @ApiProblems(401, 422)
  list(@Query() query: ArticleQuery, @OptionalCaller() caller?: Caller): Promise<OffsetPage<ArticleDto>> {
    return this.articles.list(query, caller);
  }

  @Post()
  @ApiAnswer(201, ArticleBody, ['Idempotency-Replayed'])
  @ApiProblems(400, 401, 409, 422)
  async publish(
    @IdempotencyKeyHeader({ optional: true }) request: IdempotentRequest | undefined,
    @CurrentCaller() caller: Caller,
    @Body() { article }: NewArticleBody,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const answer = await this.idempotency.once(request, async () => {
      const published = await this.articles.publish(caller, article, [caller.userId, 'somebody else']);
      return { status: 201, body: { article: published } };
    });
    sendAnswer(reply, answer);
  }

  @Get(':slug')
  @ApiAnswer(200, ArticleBody)
  @ApiProblems(401, 422, { 404: 'article-not-found' })
  async get(@Slug() slug: string, @OptionalCaller() caller?: Caller): Promise<ArticleBody> {
    return { article: await this.articles.get(slug, caller) };
  }

  @Delete(':slug')
  @HttpCode(204)
  @ApiAnswer(204)
  @ApiProblems(401, 409, 422)
  delete(@Slug() slug: string): Promise<void> {
    return this.articles.delete(slug);
  }

  @Post(':slug/comments')
  @ApiAnswer(201, CommentDto)
  @ApiProblems(400, 401, 404, 409, 422)
  comment(@Param() { slug }: CommentPath, @Body('comment') comment: NewCommentDto): Promise<CommentDto> {
    return this.articles.comment(slug, comment);
  }

  @Get(':slug/comments/:id')
  @ApiAnswer(200, CommentDto)
  @ApiProblems(401, 404, 422)
  commentOf(@Slug() slug: string, @IntParam('id') id: number): Promise<CommentDto> {
    return this.articles.commentOf(slug, id);
  }
}

/** What a Nest developer writes who has not read a word of ours. */
@ApiTags('blog')
@Controller('v1/plain')
export class PlainController {
  constructor(private readonly articles: ArticlesService) {}

  @Get('articles/:slug')
  @ApiAnswer(200, ArticleDto)
  get(@Param('slug') slug: string, @OptionalCaller() _caller?: Caller): Promise<ArticleDto> {
    return this.articles.get(slug);
  }

  @Get('uuid/:text')
  @ApiAnswer(204)
  async uuid(@Param('text') text: string, @OptionalCaller() _caller?: Caller): Promise<void> {
    await this.articles.castToUuid(text);
  }

  @Get('checked/:id')
  @ApiAnswer(200, TokenDto)
  checked(@UuidParam('id') id: string, @OptionalCaller() _caller?: Caller): TokenDto {
    return { token: id };
  }

  @Get('search')
  @ApiAnswer(200, TokenDto)
  search(
    @Query('text') text: string,
    @Query('word') words: string[],
    @OptionalCaller() _caller?: Caller,
  ): TokenDto {
    return { token: `${text.toUpperCase()} ${words.map((word) => word.trim()).join('+')}` };
  }

  @Get('token')
  @ApiAnswer(200, TokenDto)
  @ApiProblems(401)
  token(@OptionalCaller() _caller: Caller | undefined, @AccessToken() token?: string): TokenDto {
    return { token };
  }
}

@Module({
  imports: [IdempotencyModule, MessagingModule.forFeature({ events: [articleReached] })],
  controllers: [ArticlesController, PlainController],
  providers: [ArticlesService],
})
export class BlogModule {}

/** What a migration would do. */
export const BLOG_SCHEMA = [
  `CREATE TABLE articles (
    id uuid PRIMARY KEY,
    slug text NOT NULL CONSTRAINT articles_slug_key UNIQUE,
    title text NOT NULL,
    tags text[] NOT NULL,
    author_id uuid NOT NULL CONSTRAINT articles_author_id_fkey REFERENCES users (id)
  )`,
  `CREATE TABLE comments (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    article_id uuid NOT NULL CONSTRAINT comments_article_id_fkey REFERENCES articles (id),
    parent_id integer CONSTRAINT comments_parent_id_fkey REFERENCES comments (id),
    body varchar(20) NOT NULL,
    stars smallint CONSTRAINT comments_stars_check CHECK (stars <= 5)
  )`,
];
