import { GeneratorFailure } from '../lib/failure.ts';

/** A member of a payload. */
export interface Member {
  name: string;
  /** In TypeScript, as JSON has it. */
  type: string;
  optional: boolean;
  sample: string;
}

/** What a payload may hold: it is stored as JSON. */
const TYPES: Record<string, { type: string; sample: string }> = {
  string: { type: 'string', sample: `'text'` },
  text: { type: 'string', sample: `'text'` },
  integer: { type: 'number', sample: '12' },
  decimal: { type: 'string', sample: `'12.50'` },
  boolean: { type: 'boolean', sample: 'true' },
  date: { type: 'string', sample: `'2026-11-20'` },
  timestamp: { type: 'string', sample: `'2026-11-20T12:00:00.000Z'` },
  uuid: { type: 'string', sample: `'019aa000-0000-7000-8000-000000000001'` },
  email: { type: 'string', sample: `'ada@example.com'` },
  url: { type: 'string', sample: `'https://example.com/1'` },
};

const MEMBER = /^([a-z][a-zA-Z0-9]*):([a-z]+)(:optional)?$/;

/** @throws GeneratorFailure that names the member and what is known */
export function payloadOf(text: string): Member[] {
  const members = text.split(/\s+/).filter(Boolean).map(memberOf);
  const twice = members.find(({ name }, i) => members.findIndex((one) => one.name === name) !== i);
  if (twice) throw new GeneratorFailure(`The payload has ${twice.name} twice.`);
  return members;
}

function memberOf(text: string): Member {
  const [, name, kind = '', optional] = MEMBER.exec(text) ?? [];
  const known = TYPES[kind];
  if (name === undefined)
    throw new GeneratorFailure(
      `"${text}" is no member of a payload: write name:kind, such as invoiceId:uuid.`,
    );
  if (!known)
    throw new GeneratorFailure(
      `${text}: a payload has no "${kind}". It has: ${Object.keys(TYPES).join(', ')}.`,
    );
  return { name, ...known, optional: optional !== undefined };
}
