import type { Rule } from '@angular-devkit/schematics';
import ts from 'typescript';
import { find, parse, withImport } from '../lib/edit.ts';
import { requireFeature } from '../lib/existing.ts';
import { GeneratorFailure } from '../lib/failure.ts';
import { generator, type Files } from '../lib/generator.ts';
import { withDeclared, withExport } from '../lib/modules.ts';
import { camel, namesOf, pascal, requireName } from '../lib/names.ts';
import { addHandler, requireNoCycle, specOf, type Declared } from '../processor/handler.ts';
import { payloadOf, type Member } from './payload.ts';

interface Options {
  name: string;
  event: string;
  payload?: string;
  consumer?: string;
  eventVersion?: number;
}

/** `npm run g -- event invoices sent`: declares an event, with the handler without which no process would start. */
export function event({ name, event: happened, payload = '', consumer, eventVersion = 1 }: Options): Rule {
  return generator((files) => {
    const folder = requireFeature(files, name);
    requireName(happened);
    const handling = consumer || name;
    requireFeature(files, handling);
    const thing = singularOf(name);
    const version = eventVersion === 1 ? '' : `-v${eventVersion}`;
    const members = payloadOf(payload || `${camel(thing)}Id:uuid`);
    const declared: Declared = {
      feature: name,
      constant: camel(`${thing}-${happened}${version}`),
      type: pascal(`${thing}-${happened}${version}`),
      event: `${thing}.${happened}${version.replace('-', '.')}`,
    };
    refuse(files, declared, handling, eventVersion);
    declare(files, folder, declared, handling, members);
    addHandler(files, handling, declared);
    files.create({
      [specOf(declared.event)]: spec(declared, members),
    });
  });
}

function singularOf(feature: string): string {
  try {
    return namesOf(feature).singular;
  } catch {
    // `auth` has no plural.
    return feature;
  }
}

function refuse(files: Files, declared: Declared, consumer: string, version: number): void {
  const { feature, event: eventName } = declared;
  const path = `src/modules/${feature}/${feature}.events.ts`;
  const says = (name: string): boolean => files.has(path) && files.read(path).includes(`'${name}'`);
  if (says(eventName))
    throw new GeneratorFailure(
      `${path} has ${eventName} already: for another payload give --event-version ${version + 1}, for another consumer npm run g -- processor.`,
    );
  const before =
    version > 2 ? eventName.replace(/\d+$/, String(version - 1)) : eventName.replace(/\.v2$/, '');
  if (version > 1 && !says(before))
    throw new GeneratorFailure(`There is no ${before} of which this could be the next version.`);
  requireNoCycle(files, consumer, feature);
}

function declare(
  files: Files,
  folder: string,
  declared: Declared,
  consumer: string,
  members: Member[],
): void {
  const { feature, constant, type, event: eventName } = declared;
  const path = `${folder}/${feature}.events.ts`;
  const declaration = `export interface ${type} {
${members.map(({ name, type: of, optional }) => `  ${name}${optional ? '?' : ''}: ${of};`).join('\n')}
}

export const ${constant} = defineEvent<${type}>('${eventName}', { consumers: ['${consumer}'] });
`;
  if (!files.has(path))
    files.create({
      [path]: `import { defineEvent } from '../../platform/messaging/index.js';\n\n${declaration}`,
    });
  else {
    const text = withImport(files.read(path), ['defineEvent'], '../../platform/messaging/index.js');
    if (find(parse(text), ts.isInterfaceDeclaration, (node) => node.name.text === type))
      throw new GeneratorFailure(`${path} has a ${type} already: choose another name for the event.`);
    files.write(path, `${text}\n${declaration}`);
  }
  const module = `${folder}/${feature}.module.ts`;
  files.edit(module, (text) => withDeclared(text, 'events', constant));
  files.write(module, withImport(files.read(module), [constant], `./${feature}.events.js`));
  files.edit(`${folder}/index.ts`, (text) =>
    withExport(text, [constant, `type ${type}`], `./${feature}.events.js`),
  );
}

/** The contract, and that the handler has it. */
function spec({ feature, constant, type, event: eventName }: Declared, members: Member[]): string {
  return `import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ${constant}, type ${type} } from '../../src/modules/${feature}/index.js';
import { UnitOfWork } from '../../src/platform/database/index.js';
import { Outbox } from '../../src/platform/messaging/index.js';
import { waitFor } from '../../local/wait-for.js';
import { startProduct, type ProductUnderTest } from './product-under-test.js';

/** Events of this shape are stored: another shape is another version of the event. */
const PAYLOAD: ${type} = {
${members.map(({ name, sample }) => `  ${name}: ${sample},`).join('\n')}
};

describe('the event ${eventName}', () => {
  let product: ProductUnderTest;

  beforeAll(async () => {
    product = await startProduct();
    await product.startWorker();
  });

  afterAll(() => product?.stop());

  it('keeps its name, by which it is stored', () => {
    expect(${constant}.name).toBe('${eventName}');
  });

  it.each(${constant}.consumers)('is handled by %s once it is committed', async (consumer) => {
    const { api } = product;
    const outbox = api.get(Outbox, { strict: false });
    const unitOfWork = api.get(UnitOfWork, { strict: false });
    const id = await unitOfWork.run(() => outbox.announce(${constant}, PAYLOAD));

    const recorded = 'SELECT 1 FROM inbox WHERE event_id = $1 AND consumer = $2';
    await waitFor(async () => (await product.sql(recorded, [id, consumer])).length === 1, {
      within: 60_000,
      what: 'the record of the handler',
    });
  });
});
`;
}
