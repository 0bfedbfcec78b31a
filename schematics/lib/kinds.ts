/** A column of a field. Most fields have one, of the field's own name. */
export interface Part {
  /** Added to the field's name: `price` has `priceAmount` and `priceCurrency`. */
  suffix: string;
  comment?: string;
  /** Its type in SQL. */
  sql: string;
  /** The arguments of `@Column`, without name and nullable. */
  orm: [type: string, options?: string];
  /** The type of the entity's property. */
  type: string;
}

/** What a field of a kind is in each place where it stands. */
export interface Kind {
  /** Its argument in parentheses: `string(40)`, `enum(draft,sent)`. */
  argument?: 'length' | 'words' | 'digits' | 'feature' | 'members';
  columns: (argument: string) => Part[];
  /** The DTO's decorator, its options, and what comes before them; `class` is that of a nested object. */
  decorator: (argument: string, className: string) => [name: string, options: string, first?: string];
  /** The type of the DTO's property; undefined for a class. */
  dto?: string;
  /** Two values as JSON has them; the second one for a change. */
  samples: (argument: string) => [string, string];
  /** A value that is refused. */
  bad: string;
  /** What a cursor holds of it in a list that is sorted by it. */
  sort?: 'integer' | 'text' | 'time';
  /** A list may ask for rows with a value. */
  filter?: boolean;
  /** Its words can be searched for. */
  words?: boolean;
  /** It fits into an index; with a length, up to 600 characters. */
  indexable?: boolean;
  /** A default, as it may be written in the list of fields. */
  literal?: RegExp;
  /** An element of an array, as options of a `StringField` or an `IntField`. */
  element?: (argument: string) => string;
  /** From the DTO's value to the entity's and back, where they differ. */
  toEntity?: (value: string) => string;
  toDto?: (value: string) => string;
}

const LINE = String.raw`/^\p{Zs}*[^\p{Cc}\p{Z}][^\p{Cc}]*$/u`;
const URL_TEXT = String.raw`max: 2000, pattern: /^https?:\/\/[^\s/]\S*$/, patternName: 'an http URL'`;
const UUID_TEXT = String.raw`pattern: /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/, patternName: 'a UUID'`;
const CURRENCY = `min: 3, max: 3, pattern: /^[A-Z]{3}$/, patternName: 'an ISO 4217 code'`;

const line = (length: string): string =>
  `min: 1, max: ${length || 200}, pattern: ${LINE}, patternName: 'one line of text'`;
const wordsOf = (words: string): string[] => words.split(',');

/** One column, of the field's name. */
const one = (sql: string, type: string, orm: Part['orm'] = [sql]): (() => Part[]) => {
  const part = { suffix: '', sql, orm, type };
  return () => [part];
};

/** The kinds of fields. To add one, add a row. */
export const KINDS: Record<string, Kind> = {
  string: {
    argument: 'length',
    columns: one('text', 'string'),
    decorator: (length) => ['StringField', line(length)],
    dto: 'string',
    samples: (length) => [`'first'.slice(0, ${length || 200})`, `'second'.slice(0, ${length || 200})`],
    bad: `''`,
    sort: 'text',
    filter: true,
    words: true,
    indexable: true,
    literal: /^[\w .-]+$/,
    element: line,
  },
  text: {
    columns: one('text', 'string'),
    decorator: () => ['StringField', 'max: 10_000'],
    dto: 'string',
    samples: () => [`'Some lines\\nof text'`, `'Others'`],
    bad: '7',
    words: true,
    literal: /^[\w .-]+$/,
  },
  integer: {
    columns: one('integer', 'number'),
    decorator: () => ['IntField', 'max: 2_147_483_647'],
    dto: 'number',
    samples: () => ['12', '13'],
    bad: '1.5',
    sort: 'integer',
    filter: true,
    indexable: true,
    literal: /^(0|[1-9]\d{0,8})$/,
    element: () => 'max: 2_147_483_647',
  },
  bigint: {
    columns: one('bigint', 'number'),
    decorator: () => ['IntField', ''],
    dto: 'number',
    samples: () => ['9_007_199_254_740_991', '1'],
    bad: '-1',
    sort: 'integer',
    filter: true,
    indexable: true,
    literal: /^(0|[1-9]\d{0,14})$/,
  },
  decimal: {
    argument: 'digits',
    columns: (digits) => {
      const [precision, scale] = (digits || '12,2').split(',');
      const orm: Part['orm'] = [`numeric`, `precision: ${precision}, scale: ${scale}`];
      return one(`numeric(${precision},${scale})`, 'string', orm)();
    },
    decorator: (digits) => {
      const [precision, scale] = (digits || '12,2').split(',').map(Number) as [number, number];
      const fraction = scale > 0 ? String.raw`(\.\d{1,${scale}})?` : '';
      const whole = precision > scale ? `\\d{1,${precision - scale}}` : '0';
      return [
        'StringField',
        `pattern: /^-?${whole}${fraction}$/, patternName: 'a decimal number', example: '0'`,
      ];
    },
    dto: 'string',
    samples: (digits) => {
      const [precision, scale] = (digits || '12,2').split(',').map(Number) as [number, number];
      const whole = precision > scale ? ['1', '2'] : ['0', '0'];
      return scale > 0
        ? [`'${whole[0]}.${'5'.padEnd(scale, '0')}'`, `'${whole[1]}.${'0'.repeat(scale)}'`]
        : [`'${whole[0]}'`, `'${whole[1]}'`];
    },
    bad: `'one'`,
    sort: 'text',
    filter: true,
    indexable: true,
    literal: /^-?\d+(\.\d+)?$/,
  },
  money: {
    columns: () => [
      {
        suffix: 'Amount',
        comment: 'In the minor unit of the currency.',
        sql: 'bigint',
        orm: ['bigint'],
        type: 'number',
      },
      {
        suffix: 'Currency',
        comment: 'ISO 4217.',
        sql: 'char(3)',
        orm: ['char', 'length: 3'],
        type: 'string',
      },
    ],
    decorator: (_, name) => ['ObjectField', '', `() => ${name}`],
    samples: () => [`{ amount: 1990, currency: 'EUR' }`, `{ amount: 0, currency: 'USD' }`],
    bad: `{ amount: 19.9, currency: 'EUR' }`,
  },
  boolean: {
    columns: one('boolean', 'boolean'),
    decorator: () => ['BooleanField', ''],
    dto: 'boolean',
    samples: () => ['true', 'false'],
    bad: `'yes'`,
    filter: true,
    indexable: true,
    literal: /^(true|false)$/,
  },
  date: {
    columns: one('date', 'string'),
    decorator: () => [
      'StringField',
      String.raw`pattern: /^\d{4}-\d{2}-\d{2}$/, patternName: 'a date, such as 2026-11-20', example: '2026-11-20'`,
    ],
    dto: 'string',
    samples: () => [`'2026-11-20'`, `'2027-01-31'`],
    bad: `'20.11.2026'`,
    sort: 'time',
    filter: true,
    indexable: true,
    literal: /^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|1\d|2[0-8])$/,
  },
  timestamp: {
    columns: one('timestamptz(3)', 'Date', ['timestamptz', 'precision: 3']),
    decorator: () => ['DateTimeField', ''],
    dto: 'string',
    samples: () => [`'2026-11-20T12:00:00.000Z'`, `'2027-01-31T08:30:00.000Z'`],
    bad: `'yesterday'`,
    sort: 'time',
    indexable: true,
    toEntity: (value) => `new Date(${value})`,
    toDto: (value) => `${value}.toISOString()`,
  },
  uuid: {
    columns: one('uuid', 'string'),
    decorator: () => ['UuidField', ''],
    dto: 'string',
    samples: () => [`'019aa000-0000-7000-8000-000000000001'`, `'019aa000-0000-7000-8000-000000000002'`],
    bad: `'7'`,
    filter: true,
    indexable: true,
    element: () => UUID_TEXT,
  },
  email: {
    columns: one('text', 'string'),
    decorator: () => ['EmailField', ''],
    dto: 'string',
    samples: () => [`'ada@example.com'`, `'grace@example.com'`],
    bad: `'ada'`,
    sort: 'text',
    filter: true,
    words: true,
    indexable: true,
  },
  url: {
    columns: one('text', 'string'),
    decorator: () => ['StringField', `${URL_TEXT}, example: 'https://example.com'`],
    dto: 'string',
    samples: () => [`'https://example.com/1'`, `'https://example.com/2'`],
    bad: `'javascript:1'`,
    element: () => URL_TEXT,
  },
  enum: {
    argument: 'words',
    columns: one('text', 'string'),
    decorator: (words) => [
      'EnumField',
      '',
      `[${wordsOf(words)
        .map((word) => `'${word}'`)
        .join(', ')}]`,
    ],
    dto: 'string',
    samples: (words) => [`'${wordsOf(words)[0]}'`, `'${wordsOf(words).at(-1)}'`],
    bad: `'?'`,
    filter: true,
    indexable: true,
    literal: /^[a-z][\w-]*$/,
    element: (words) =>
      `pattern: /^(${wordsOf(words).join('|')})$/, patternName: 'one of ${wordsOf(words).join(', ')}'`,
  },
  json: {
    argument: 'members',
    // Its class is that of the DTO.
    columns: one('jsonb', ''),
    decorator: (_, name) => ['ObjectField', '', `() => ${name}`],
    // Of its members.
    samples: () => ['', ''],
    bad: `'{}'`,
  },
  ref: {
    argument: 'feature',
    columns: one('uuid', 'string'),
    decorator: () => ['UuidField', ''],
    dto: 'string',
    // Rows that exist: the test makes them.
    samples: () => ['', ''],
    bad: `'7'`,
    filter: true,
    indexable: true,
  },
};

/** The fields of the class that holds money. */
export const MONEY_MEMBERS = `  @IntField({ description: 'In the minor unit of the currency.', example: 1990 })
  amount!: number;

  @StringField({ ${CURRENCY}, description: 'ISO 4217 code.', example: 'EUR' })
  currency!: string;
`;
