import { describe, expect, it } from 'vitest';
import { csvHeader, csvLines, type CsvColumn } from './csv.js';

interface Row {
  name: string | null;
  count: number;
  at: Date;
}

const columns: CsvColumn<Row>[] = [
  { header: 'name', value: ({ name }) => name },
  { header: 'count, really', value: ({ count }) => count },
  { header: 'at', value: ({ at }) => at },
];
const at = new Date('2026-11-20T12:00:00Z');

function cell(name: string | null): string {
  return csvLines(columns, [{ name, count: 1, at }]).replace(/,1,2026-11-20T12:00:00.000Z\r\n$/, '');
}

describe('A CSV file', () => {
  it('has a heading line and a line for each row, each ended by CRLF', () => {
    const rows = [
      { name: 'Ada', count: 1, at },
      { name: 'Grace', count: -2, at },
    ];

    expect(csvHeader(columns) + csvLines(columns, rows)).toBe(
      'name,"count, really",at\r\nAda,1,2026-11-20T12:00:00.000Z\r\nGrace,-2,2026-11-20T12:00:00.000Z\r\n',
    );
  });

  it.each([
    ['Lovelace, Ada', '"Lovelace, Ada"'],
    ['the "Countess"', '"the ""Countess"""'],
    ['two\nlines', '"two\nlines"'],
    ['two\r\nlines', '"two\r\nlines"'],
    ['plain – ünïcode 😀', 'plain – ünïcode 😀'],
    ['', ''],
    [null, ''],
  ])('writes %j according to RFC 4180', (text, expected) => {
    expect(cell(text)).toBe(expected);
  });

  it.each([
    '=1+1',
    '+1',
    '-1',
    '@SUM(A1)',
    '\tx',
    '\rx',
    '\nx',
    '＝1',
    '＋1',
    '－1',
    '＠a',
    `=HYPERLINK("http://x";"y")`,
  ])('guards %j against evaluation as a formula', (text) => {
    expect(cell(text)).toBe(`"'${text.replaceAll('"', '""')}"`);
  });

  it('does not change texts with such a character elsewhere', () => {
    expect(cell('a=b')).toBe('a=b');
  });
});
