import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Brings e-mail addresses into the form in which they are looked up (NFC), so that their accounts are still found. Where two accounts have had the same
 * address in different forms, the one that has it in NFC, or else the older one, keeps it; the others stay as they are, for a person to look at.
 */
export class NormalisedEmails1763600120000 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      UPDATE users SET email = normalize(email, NFC)
      WHERE id IN (
        SELECT DISTINCT ON (normalize(email, NFC)) id FROM users u
        WHERE email IS NOT NFC NORMALIZED
          AND NOT EXISTS (SELECT 1 FROM users taken WHERE taken.email = normalize(u.email, NFC))
        ORDER BY normalize(email, NFC), id)
    `);
  }

  /** Either form is the same address. */
  async down(): Promise<void> {}
}
