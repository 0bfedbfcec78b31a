import { describe, expect, it } from 'vitest';
import { asConstraintViolation, UniqueViolationError } from './constraint-errors.js';

const driverError = (code: string, message = 'refused', constraint = 'comments_article_id_fkey') =>
  Object.assign(new Error(message), { code, constraint });

describe('A value that PostgreSQL rejects', () => {
  it.each(['23505', '23P01'])('conflicts with another row (%s): 409, with the constraint', (code) => {
    const error = asConstraintViolation(driverError(code, 'duplicate key', 'articles_slug_key'));
    expect(error).toBeInstanceOf(UniqueViolationError);
    expect(error).toMatchObject({ status: 409, code: 'already-exists', constraint: 'articles_slug_key' });
  });

  it.each([
    [
      'English',
      'insert or update on table "comments" violates foreign key constraint "comments_article_id_fkey"',
    ],
    [
      'German',
      'Einfügen oder Aktualisieren in Tabelle »comments« verletzt Fremdschlüssel-Constraint »comments_article_id_fkey«',
    ],
    ['Japanese', 'テーブル"comments"への挿入、更新は外部キー制約"comments_article_id_fkey"に違反しています'],
  ])('refers to nothing, reported in %s: 422', (_, message) => {
    expect(asConstraintViolation(driverError('23503', message))).toMatchObject({
      status: 422,
      code: 'unknown-reference',
      constraint: 'comments_article_id_fkey',
    });
  });

  it.each([
    [
      'English',
      'update or delete on table "articles" violates foreign key constraint "comments_article_id_fkey" on table "comments"',
    ],
    [
      'German',
      'Aktualisieren oder Löschen in Tabelle »articles« verletzt Fremdschlüssel-Constraint »comments_article_id_fkey« von Tabelle »comments«',
    ],
    [
      'French',
      'UPDATE ou DELETE sur la table « articles » viole la contrainte de clé étrangère « comments_article_id_fkey » de la table « comments »',
    ],
    [
      'Japanese',
      'テーブル"articles"の更新または削除は、テーブル"comments"の外部キー制約"comments_article_id_fkey"に違反します',
    ],
  ])('is still referred to, reported in %s: 409', (_, message) => {
    expect(asConstraintViolation(driverError('23503', message))).toMatchObject({
      status: 409,
      code: 'still-referenced',
    });
  });

  it.each(['22001', '22003', '22P02', '22021', '23502', '23514'])(
    'is not allowed in any row (%s): 422',
    (code) => {
      expect(asConstraintViolation(driverError(code))).toMatchObject({
        status: 422,
        code: 'value-not-allowed',
      });
    },
  );

  it.each(['22012', '42601', '42P01', '40001', ''])(
    'is distinguished from a bug or an outage (%s)',
    (code) => {
      expect(asConstraintViolation(driverError(code))).toBeUndefined();
    },
  );
});
