import type { Field } from '../lib/fields.ts';
import { namesOf, withArticle } from '../lib/names.ts';
import type { Feature } from './feature.ts';

/** References to others are to any of them; those to users are to the caller. */
function referencesOf(fields: Field[]): string[] {
  return [...new Set(fields.filter(({ kindName }) => kindName === 'ref').map(({ argument }) => argument))];
}

/** One of the two values of a field, as JSON has it. */
function sampleOf(field: Field, i: 0 | 1): string {
  const { kind, kindName, argument, array, members } = field;
  if (kindName === 'json')
    return `{ ${members.map((member) => `${member.name}: ${sampleOf(member, i)}`).join(', ')} }`;
  const value = kind.samples(argument)[i];
  return array ? `[${value}]` : value;
}

/** The same, of references too: those are to rows that the test makes. */
export function valueOf(field: Field, i: 0 | 1): string {
  if (field.kindName !== 'ref') return sampleOf(field, i);
  return field.argument === 'users'
    ? 'await me(api, as)'
    : `await any${namesOf(field.argument).pascal}(api, as)`;
}

/** What a reference to users is to. */
export const ME = `
async function me(api: DocumentedApi, as: string): Promise<string> {
  return ((await api.call('GET', '/v1/users/me', { as })).body as { id: string }).id;
}
`;

/** Bodies for the specs of a feature, and of those that refer to it. */
export function sample({ names, fields }: Feature): string {
  const others = referencesOf(fields).filter((feature) => feature !== 'users');
  const makes = others.map((feature) => `any${namesOf(feature).pascal}`);
  const refers = referencesOf(fields).length > 0;
  const usesUsers = referencesOf(fields).includes('users');
  const body = (i: 0 | 1): string =>
    fields.map((field) => `    ${field.name}: ${valueOf(field, i)},`).join('\n');
  return `import assert from 'node:assert/strict';
import type { DocumentedApi } from './openapi/documented-api.js';
${others.map((feature, i) => `import { ${makes[i]} } from './${feature}.sample.js';\n`).join('')}
/** Two bodies that a caller may send: for ${withArticle(names.words)}, and for a change of it. */
export async function ${names.camel}Bodies(${refers ? 'api' : '_api'}: DocumentedApi, ${refers ? 'as' : '_as'}: string): Promise<[object, object]> {
  const first = {
${body(0)}
  };
  const second = {
${body(1)}
  };
  return [first, second];
}

/** @returns the id of one that the caller may see, which is made when there is none */
export async function any${names.pascal}(api: DocumentedApi, as: string): Promise<string> {
  const { data } = (await api.call('GET', '/v1/${names.plural}?limit=1', { as })).body as { data: { id: string }[] };
  if (data[0]) return data[0].id;
  const [body] = await ${names.camel}Bodies(api, as);
  const made = await api.call('POST', '/v1/${names.plural}', { as, body });
  assert.equal(made.status, 201);
  return (made.body as { id: string }).id;
}
${usesUsers ? ME : ''}`;
}
