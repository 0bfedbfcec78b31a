import pg from 'pg';

/** A column of a statement, as PostgreSQL describes it. */
export interface DescribedColumn {
  name: string;
  /** PostgreSQL's name, such as `timestamp with time zone`. */
  sqlType: string;
  nullable: boolean;
  /** What is selected, as PostgreSQL writes it. */
  expression: string;
}

interface Field {
  name: string;
  tableID: number;
  columnID: number;
  dataTypeID: number;
}

interface Plan {
  Output?: string[];
  Plans?: Plan[];
  'Join Type'?: string;
  'Parent Relationship'?: string;
}

/** Expressions that are never null, as PostgreSQL writes them. */
const NEVER_NULL = /^\(*(?:count\(|COALESCE\(|now\(\)|clock_timestamp\(\))/;

/** Has PostgreSQL parse and plan a statement, without running it. */
export async function describeRows(client: pg.Client, text: string): Promise<DescribedColumn[]> {
  const fields = await fieldsOf(client, text);
  const explained = await client.query<{ 'QUERY PLAN': [{ Plan: Plan }] }>(
    `EXPLAIN (VERBOSE, GENERIC_PLAN, FORMAT JSON) ${text}`,
  );
  const plan = explained.rows[0]!['QUERY PLAN'][0].Plan;
  const optional = new Set(optionalOutputs(plan));
  const { rows } = await client.query<{ type: string; required: boolean }>(
    `SELECT format_type(type, NULL) AS type, coalesce(attnotnull, false) AS required
     FROM unnest($1::oid[], $2::oid[], $3::int[]) WITH ORDINALITY AS field (type, "table", number, place)
       LEFT JOIN pg_attribute ON attrelid = "table" AND attnum = number
     ORDER BY place`,
    [fields.map((f) => f.dataTypeID), fields.map((f) => f.tableID), fields.map((f) => f.columnID)],
  );
  return fields.map(({ name }, index) => {
    const expression = plan.Output?.[index] ?? '';
    const { type, required } = rows[index]!;
    const present = required ? !optional.has(expression) : NEVER_NULL.test(expression);
    return { name, sqlType: type, nullable: !present, expression };
  });
}

/** What comes from the side of an outer join that may have no row. */
function optionalOutputs(plan: Plan): string[] {
  const sides =
    { Left: ['Inner'], Right: ['Outer'], Full: ['Inner', 'Outer'] }[plan['Join Type'] ?? ''] ?? [];
  return (plan.Plans ?? []).flatMap((child) => [
    ...(sides.includes(child['Parent Relationship'] ?? '') ? (child.Output ?? []) : []),
    ...optionalOutputs(child),
  ]);
}

/** By the extended protocol's Describe, which pg has no method for; its `Submittable` (https://node-postgres.com/apis/client) sends it. */
function fieldsOf(client: pg.Client, text: string): Promise<Field[]> {
  return new Promise((resolve, reject) => {
    let fields: Field[] = [];
    client.query({
      submit(connection: pg.Connection) {
        connection.parse({ name: '', text, types: [] }, true);
        connection.describe({ type: 'S', name: '' }, true);
        connection.sync();
      },
      handleRowDescription: (message: { fields: Field[] }) => ({ fields } = message),
      handleError: reject,
      handleReadyForQuery: () => resolve(fields),
    } as unknown as pg.Submittable);
  });
}
