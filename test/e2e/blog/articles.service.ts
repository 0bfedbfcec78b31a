import { Injectable } from '@nestjs/common';
import { Database, newId, UniqueViolationError, UnitOfWork } from '../../../src/platform/database/index.js';
import { ClientError } from '../../../src/platform/errors/index.js';
import type { Caller, OffsetPage } from '../../../src/platform/http/index.js';
import { Outbox } from '../../../src/platform/messaging/index.js';
import type { ArticleDto, ArticleQuery, CommentDto, NewArticleDto, NewCommentDto } from './blog.dto.js';
import { articleReached } from './blog.events.js';

interface ArticleRow {
  id: string;
  slug: string;
  title: string;
  tags: string[];
  authorId: string;
}

const COLUMNS = 'id, slug, title, tags, author_id AS "authorId"';

/** A small blog, written with nothing but the platform. */
@Injectable()
export class ArticlesService {
  constructor(
    private readonly database: Database,
    private readonly unitOfWork: UnitOfWork,
    private readonly outbox: Outbox,
  ) {}

  /** Of two articles with one title the second gets a longer slug. Every reader gets a message, or there is no article. */
  async publish(author: Caller, article: NewArticleDto, readers: string[] = []): Promise<ArticleDto> {
    return this.unitOfWork.run(async () => {
      const { title, tags } = article;
      const row = { id: newId(), title, tags, authorId: author.userId };
      const slug = title.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-');
      try {
        await this.unitOfWork.savepoint(() => this.insert({ ...row, slug }));
      } catch (error) {
        if (!(error instanceof UniqueViolationError && error.constraint === 'articles_slug_key')) throw error;
        await this.insert({ ...row, slug: `${slug}-${row.id}` });
      }
      await this.outbox.announceMany(
        articleReached,
        readers.map((userId) => ({ payload: { articleId: row.id, userId }, key: row.id })),
      );
      return present((await this.byId(row.id))!, author);
    });
  }

  async list({ tag = [], limit, offset }: ArticleQuery, caller?: Caller): Promise<OffsetPage<ArticleDto>> {
    const matching = { text: 'FROM articles WHERE tags @> $1::text[]', values: [tag] };
    const [rows, [count]] = await Promise.all([
      this.database.query<ArticleRow>({
        text: `SELECT ${COLUMNS} ${matching.text} ORDER BY id DESC LIMIT $2 OFFSET $3`,
        values: [...matching.values, limit, offset],
      }),
      this.database.query<{ total: number }>({
        text: `SELECT count(*)::int AS total ${matching.text}`,
        values: matching.values,
      }),
    ]);
    return { data: rows.map((row) => present(row, caller)), total: count?.total ?? 0 };
  }

  async get(slug: string, caller?: Caller): Promise<ArticleDto> {
    const row = await this.database.queryOne<ArticleRow>({
      text: `SELECT ${COLUMNS} FROM articles WHERE slug = $1`,
      values: [slug],
    });
    if (!row)
      throw new ClientError({
        status: 404,
        code: 'article-not-found',
        detail: 'There is no such article.',
      });
    return present(row, caller);
  }

  async delete(slug: string): Promise<void> {
    await this.database.execute({ text: 'DELETE FROM articles WHERE slug = $1', values: [slug] });
  }

  async comment(slug: string, { body, parentId, stars }: NewCommentDto): Promise<CommentDto> {
    const { slug: found } = await this.get(slug);
    const row = await this.database.queryOne<CommentDto>({
      text: `
        INSERT INTO comments (article_id, parent_id, body, stars)
        SELECT id, $2, $3, $4 FROM articles WHERE slug = $1
        RETURNING id, body`,
      values: [found, parentId, body, stars],
    });
    return row!;
  }

  async commentOf(slug: string, id: number): Promise<CommentDto> {
    const row = await this.database.queryOne<CommentDto>({
      text: 'SELECT comments.id, comments.body FROM comments JOIN articles ON articles.id = article_id WHERE slug = $1 AND comments.id = $2',
      values: [slug, id],
    });
    if (!row)
      throw new ClientError({
        status: 404,
        code: 'comment-not-found',
        detail: 'There is no such comment.',
      });
    return row;
  }

  /** Whatever a controller lets through, as PostgreSQL sees it. */
  async castToUuid(text: string): Promise<void> {
    await this.database.query({ text: 'SELECT $1::uuid', values: [text] });
  }

  private byId(id: string): Promise<ArticleRow | undefined> {
    return this.database.queryOne({ text: `SELECT ${COLUMNS} FROM articles WHERE id = $1`, values: [id] });
  }

  private async insert({ id, slug, title, tags, authorId }: ArticleRow): Promise<void> {
    await this.database.execute({
      text: 'INSERT INTO articles (id, slug, title, tags, author_id) VALUES ($1, $2, $3, $4, $5)',
      values: [id, slug, title, tags, authorId],
    });
  }
}

function present({ slug, title, tags, authorId }: ArticleRow, caller?: Caller): ArticleDto {
  return { slug, title, tags, isMine: authorId === caller?.userId };
}
