/** What a field of a kind is in each place where it stands. */
export interface Kind {
  /** Its argument in parentheses: `string(40)`, `enum(draft,sent)`. */
  argument?: 'length' | 'words' | 'digits' | 'feature';
  /** The column in SQL. */
  sql: (argument: string) => string;
  /** The arguments of `@Column`, without name and nullable. */
  column: (argument: string) => string;
  /** The type of the entity's property. */
  entity: string;
  /** The DTO's decorator, its options, and what comes before them. */
  decorator: (argument: string) => [name: string, options: string, first?: string];
  /** The type of the DTO's property. */
  dto: string;
  /** Two values as JSON has them; the second one for a change. */
  samples: (argument: string) => [string, string];
  /** A value that is refused. */
  bad: string;
  /** From the DTO's value to the entity's and back, where they differ. */
  toEntity?: (value: string) => string;
  toDto?: (value: string) => string;
}

const LINE = String.raw`/^\p{Zs}*[^\p{Cc}\p{Z}][^\p{Cc}]*$/u`;

/** The kinds of fields. To add one, add a row. */
export const KINDS: Record<string, Kind> = {
  string: {
    argument: 'length',
    sql: () => 'text',
    column: () => `'text'`,
    entity: 'string',
    decorator: (length) => [
      'StringField',
      `min: 1, max: ${length || 200}, pattern: ${LINE}, patternName: 'one line of text'`,
    ],
    dto: 'string',
    samples: (length) => [`'first'.slice(0, ${length || 200})`, `'second'.slice(0, ${length || 200})`],
    bad: `''`,
  },
  text: {
    sql: () => 'text',
    column: () => `'text'`,
    entity: 'string',
    decorator: () => ['StringField', 'max: 10_000'],
    dto: 'string',
    samples: () => [`'Some lines\\nof text'`, `'Others'`],
    bad: '7',
  },
  integer: {
    sql: () => 'integer',
    column: () => `'integer'`,
    entity: 'number',
    decorator: () => ['IntField', 'max: 2_147_483_647'],
    dto: 'number',
    samples: () => ['12', '13'],
    bad: '1.5',
  },
  decimal: {
    argument: 'digits',
    sql: (digits) => `numeric(${digits || '12,2'})`,
    column: (digits) => {
      const [precision, scale] = (digits || '12,2').split(',');
      return `'numeric', { precision: ${precision}, scale: ${scale} }`;
    },
    entity: 'string',
    decorator: (digits) => {
      const [precision, scale] = (digits || '12,2').split(',').map(Number) as [number, number];
      const fraction = scale > 0 ? String.raw`(\.\d{1,${scale}})?` : '';
      return [
        'StringField',
        `pattern: /^-?\\d{1,${precision - scale}}${fraction}$/, patternName: 'a decimal number', example: '12'`,
      ];
    },
    dto: 'string',
    samples: (digits) => {
      const scale = Number((digits || '12,2').split(',')[1] ?? 0);
      return [
        `'1${scale ? `.${'5'.padEnd(scale, '0')}` : ''}'`,
        `'2${scale ? `.${'0'.repeat(scale)}` : ''}'`,
      ];
    },
    bad: `'one'`,
  },
  boolean: {
    sql: () => 'boolean',
    column: () => `'boolean'`,
    entity: 'boolean',
    decorator: () => ['BooleanField', ''],
    dto: 'boolean',
    samples: () => ['true', 'false'],
    bad: `'yes'`,
  },
  date: {
    sql: () => 'date',
    column: () => `'date'`,
    entity: 'string',
    decorator: () => [
      'StringField',
      String.raw`pattern: /^\d{4}-\d{2}-\d{2}$/, patternName: 'a date, such as 2026-11-20', example: '2026-11-20'`,
    ],
    dto: 'string',
    samples: () => [`'2026-11-20'`, `'2027-01-31'`],
    bad: `'20.11.2026'`,
  },
  timestamp: {
    sql: () => 'timestamptz(3)',
    column: () => `'timestamptz', { precision: 3 }`,
    entity: 'Date',
    decorator: () => ['DateTimeField', ''],
    dto: 'string',
    samples: () => [`'2026-11-20T12:00:00.000Z'`, `'2027-01-31T08:30:00.000Z'`],
    bad: `'yesterday'`,
    toEntity: (value) => `new Date(${value})`,
    toDto: (value) => `${value}.toISOString()`,
  },
  uuid: {
    sql: () => 'uuid',
    column: () => `'uuid'`,
    entity: 'string',
    decorator: () => ['UuidField', ''],
    dto: 'string',
    samples: () => [`'019aa000-0000-7000-8000-000000000001'`, `'019aa000-0000-7000-8000-000000000002'`],
    bad: `'7'`,
  },
  email: {
    sql: () => 'text',
    column: () => `'text'`,
    entity: 'string',
    decorator: () => ['EmailField', ''],
    dto: 'string',
    samples: () => [`'ada@example.com'`, `'grace@example.com'`],
    bad: `'ada'`,
  },
  url: {
    sql: () => 'text',
    column: () => `'text'`,
    entity: 'string',
    decorator: () => [
      'StringField',
      String.raw`max: 2000, pattern: /^https?:\/\/[^\s/]\S*$/, patternName: 'an http URL', example: 'https://example.com'`,
    ],
    dto: 'string',
    samples: () => [`'https://example.com/1'`, `'https://example.com/2'`],
    bad: `'javascript:1'`,
  },
  enum: {
    argument: 'words',
    sql: () => 'text',
    column: () => `'text'`,
    entity: 'string',
    decorator: (words) => [
      'EnumField',
      '',
      `[${words
        .split(',')
        .map((word) => `'${word}'`)
        .join(', ')}]`,
    ],
    dto: 'string',
    samples: (words) => [`'${words.split(',')[0]}'`, `'${words.split(',').at(-1)}'`],
    bad: `'?'`,
  },
  ref: {
    argument: 'feature',
    sql: () => 'uuid',
    column: () => `'uuid'`,
    entity: 'string',
    decorator: () => ['UuidField', ''],
    dto: 'string',
    // Rows that exist: the test makes them.
    samples: () => ['', ''],
    bad: `'7'`,
  },
};
