import {
  BooleanField,
  IntField,
  ObjectField,
  OffsetQuery,
  StringField,
  StringListField,
} from '../../../src/platform/http/index.js';

const TAG = { min: 1, max: 20, pattern: /^[a-z0-9-]+$/, patternName: 'lower case' };

export class ArticleQuery extends OffsetQuery {
  @StringListField({ max: 5, each: TAG, optional: true })
  tag?: string[];

  @BooleanField({ optional: true })
  drafts?: boolean;
}

export class NewArticleDto {
  @StringField({ min: 1, max: 100 })
  title!: string;

  @StringListField({ max: 5, unique: true, each: TAG })
  tags!: string[];
}

/** `{"article": {…}}`. */
export class NewArticleBody {
  @ObjectField(() => NewArticleDto)
  article!: NewArticleDto;
}

export class ArticleDto {
  @StringField() slug!: string;
  @StringField() title!: string;
  @StringListField() tags!: string[];
  @BooleanField() isMine!: boolean;
}

export class ArticleBody {
  @ObjectField(() => ArticleDto)
  article!: ArticleDto;
}

/** Lets more through than the table takes, as DTOs do that were written in a hurry. */
export class NewCommentDto {
  @StringField({ optional: true })
  body?: string;

  @IntField({ optional: true })
  parentId?: number;

  @IntField({ optional: true })
  stars?: number;
}

export class CommentDto {
  @IntField() id!: number;
  @StringField() body!: string;
}

export class CommentPath {
  @StringField({ max: 100, pattern: /^[a-z0-9-]+$/, patternName: 'a slug' })
  slug!: string;
}

export class TokenDto {
  @StringField({ optional: true })
  token?: string;
}
