/** One column: its heading, and its value in a row. Numbers and times are written unchanged, texts are guarded. */
export interface CsvColumn<Row> {
  header: string;
  value: (row: Row) => string | number | Date | null;
}

/** Characters that RFC 4180 section 2 lets a field hold only between quotes; a quote itself is doubled there. */
const NEEDS_QUOTES = /[",\r\n]/;

/**
 * What spreadsheet programs may read as the beginning of a formula (OWASP, "CSV Injection"): the ASCII operators, tab and
 * line breaks, and the full-width forms of the operators.
 */
const LOOKS_LIKE_FORMULA = /^[=+\-@\t\r\n＝＋－＠]/;

/** The heading line of a file (RFC 4180: lines end with CRLF). */
export function csvHeader<Row>(columns: CsvColumn<Row>[]): string {
  return `${columns.map(({ header }) => field(header)).join(',')}\r\n`;
}

/** The lines of some rows. */
export function csvLines<Row>(columns: CsvColumn<Row>[], rows: readonly Row[]): string {
  let text = '';
  for (const row of rows) {
    let separator = '';
    for (const column of columns) {
      text += separator + field(column.value(row));
      separator = ',';
    }
    text += '\r\n';
  }
  return text;
}

function field(value: string | number | Date | null): string {
  if (typeof value === 'string') return textField(value);
  if (value === null) return '';
  // A number is never a formula, not even with its minus sign.
  return value instanceof Date ? value.toISOString() : String(value);
}

function textField(value: string): string {
  // An apostrophe makes spreadsheet programs show the rest as text.
  if (LOOKS_LIKE_FORMULA.test(value)) return quoted(`'${value}`);
  return NEEDS_QUOTES.test(value) ? quoted(value) : value;
}

function quoted(value: string): string {
  return `"${value.replaceAll('"', '""')}"`;
}
