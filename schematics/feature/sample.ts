import type { Field } from '../lib/fields.ts';
import { namesOf, withArticle } from '../lib/names.ts';
import { routeOf, type Feature } from './feature.ts';
import { slugSample } from './slug.ts';
import { isOwnReference } from './table.ts';

/** References to others are to any of them; those to users are to the caller. */
function referencesOf(fields: Field[]): string[] {
  return [...new Set(fields.filter(({ kindName }) => kindName === 'ref').map(({ argument }) => argument))];
}

/** One of the two values of a field, as JSON has it. */
export function sampleOf(field: Field, i: 0 | 1): string {
  const { kind, kindName, argument, array, members } = field;
  if (kindName === 'json')
    return `{ ${members.map((member) => `${member.name}: ${sampleOf(member, i)}`).join(', ')} }`;
  const value = kind.samples(argument)[i];
  return array ? `[${value}]` : value;
}

/** The same, of references too: those are to rows that the test makes, and to another one where two may not share one. */
export function valueOf(field: Field, i: 0 | 1, samples: Record<string, string> = {}): string {
  if (field.kindName !== 'ref') return sampleOf(field, i);
  const another = field.unique && i === 1;
  if (field.argument === 'users') return another ? '(await newUser(api)).userId' : 'await me(api, as)';
  const maker = samples[field.argument] ?? `any${namesOf(field.argument).pascal}`;
  return `await ${maker}(api, as${another ? ', 1' : ''})`;
}

/** What a reference to users is to. */
export const ME = `
async function me(api: DocumentedApi, as: string): Promise<string> {
  return ((await api.call('GET', '/v1/users/me', { as })).body as { id: string }).id;
}
`;

/** The function of the specs that gives bodies. */
export function bodiesOf({ names, fields: all, samples }: Feature): string {
  const fields = all.filter((field) => !isOwnReference(names, field));
  const refers = referencesOf(fields).length > 0;
  const body = (i: 0 | 1): string =>
    fields.map((field) => `    ${field.name}: ${valueOf(field, i, samples)},`).join('\n');
  return `/** Two bodies that a caller may send: for ${withArticle(names.words)}, and for a change of it. */
export async function ${names.camel}Bodies(${refers ? 'api' : '_api'}: DocumentedApi, ${refers ? 'as' : '_as'}: string): Promise<[object, object]> {
  const first = {
${body(0)}
  };
  const second = {
${body(1)}
  };
  return [first, second];
}
`;
}

/** Bodies for the specs of a feature, and of those that refer to it. */
export function sample(feature: Feature): string {
  const { names, parent, samples, idempotent } = feature;
  // Rows without a row of their own kind to refer to: the first ones.
  const fields = feature.fields.filter((field) => !isOwnReference(names, field));
  const others = [...new Set([...referencesOf(fields), ...(parent ? [parent.plural] : [])])].filter(
    (other) => other !== 'users',
  );
  const route = routeOf(feature);
  const usesUsers = referencesOf(fields).includes('users');
  const registers = fields.some(
    ({ argument, kindName, unique }) => kindName === 'ref' && argument === 'users' && unique,
  );
  return `import assert from 'node:assert/strict';
${registers ? `import { newUser } from '../factories/users.js';\n` : ''}import type { DocumentedApi } from './openapi/documented-api.js';
${others.map((other) => `import { ${samples[other]} } from './${other}.sample.js';\n`).join('')}
${bodiesOf(feature)}
${
  parent
    ? `/** Where the list of one parent is. */
export async function ${names.camel}Path(api: DocumentedApi, as: string): Promise<string> {
  return \`/${route.replace(/:\w+/, `\${await ${samples[parent.plural]}(api, as)}`)}\`;
}

`
    : ''
}/** @returns the id of one that the caller may see, or of another one; it is made when it is not there */
export async function any${names.pascal}(api: DocumentedApi, as: string, place: 0 | 1 = 0): Promise<string> {
${parent ? `  const path = await ${names.camel}Path(api, as);\n` : `  const path = '/${route}';\n`}  const { data } = (await api.call('GET', \`\${path}?limit=2\`, { as })).body as { data: { id: string }[] };
  if (data[place]) return data[place].id;
  const body = (await ${names.camel}Bodies(api, as))[place];
  const made = await api.call('POST', path, { as, body${idempotent ? ', headers: api.idempotent()' : ''} });
  assert.equal(made.status, 201);
  return (made.body as { id: string }).id;
}
${feature.titled ? slugSample(feature) : ''}${usesUsers ? ME : ''}`;
}
