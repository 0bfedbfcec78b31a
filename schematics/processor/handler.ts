import ts from 'typescript';
import { decoration, find, parse, withImport, withProperty } from '../lib/edit.ts';
import { GeneratorFailure } from '../lib/failure.ts';
import type { Files } from '../lib/generator.ts';
import { imported, withDeclared, withProvider } from '../lib/modules.ts';
import { pascal } from '../lib/names.ts';

/** An event, as code names it. */
export interface Declared {
  feature: string;
  /** `invoiceSent` */
  constant: string;
  /** `InvoiceSent`: its payload. */
  type: string;
  /** `invoice.sent` */
  event: string;
}

/** Gives a feature a handler of an event: a method of its processor, which is made when there is none. */
export function addHandler(files: Files, feature: string, declared: Declared): void {
  const folder = `src/modules/${feature}`;
  const path = processorOf(files, feature) ?? `${folder}/${feature}.processor.ts`;
  const from = declared.feature === feature ? `./${feature}.events.js` : `../${declared.feature}/index.js`;
  const names = [declared.constant, `type ${declared.type}`];
  const method = `  @Handles(${declared.constant})
  async on${pascal(declared.constant)}(event: DeliveredEvent<${declared.type}>): Promise<void> {
    await this.inbox.once(event, async () => {
      // What happens here happens once, in one transaction with the record of the event.
    });
  }`;
  if (files.has(path)) {
    const of = (node: ts.ClassDeclaration) => decoration(node, 'EventProcessor') !== undefined;
    files.edit(path, (text) => {
      const edited = withProperty(text, `on${pascal(declared.constant)}`, method, { of });
      return imported(
        imported(edited, ['Handles', 'type DeliveredEvent'], '../../platform/messaging/index.js'),
        names,
        from,
      );
    });
    return;
  }
  const name = `${pascal(feature)}Processor`;
  const text = `import {
  EventConsumer,
  EventProcessor,
  Handles,
  type DeliveredEvent,
} from '../../platform/messaging/index.js';

@EventProcessor('${feature}')
export class ${name} extends EventConsumer {
${method}
}
`;
  files.create({ [path]: withImport(text, names, from) });
  const module = `${folder}/${feature}.module.ts`;
  files.edit(module, (own) => withDeclared(own, 'queues', `'${feature}'`));
  files.edit(module, (own) => withProvider(own, name, `./${feature}.processor.js`));
}

/** The file of the processor that serves the queue of a feature. */
function processorOf(files: Files, feature: string): string | undefined {
  return files
    .list(`src/modules/${feature}`)
    .filter((file) => file.endsWith('.processor.ts'))
    .map((file) => `src/modules/${feature}/${file}`)
    .find((path) => {
      const queue = decoration(parse(files.read(path)), 'EventProcessor')?.arguments[0];
      return queue && ts.isStringLiteral(queue) && queue.text === feature;
    });
}

/** @throws GeneratorFailure when the feature of an event stands on the one that is to handle it */
export function requireNoCycle(files: Files, consumer: string, announcer: string): void {
  if (consumer === announcer) return;
  const seen = new Set<string>();
  const reaches = (feature: string): boolean => {
    if (feature === consumer) return true;
    if (seen.has(feature)) return false;
    seen.add(feature);
    return featuresIn(files, feature).some(reaches);
  };
  if (reaches(announcer))
    throw new GeneratorFailure(
      `${announcer} stands on ${consumer}, so ${consumer} cannot import its event: let ${announcer} handle it, or a third feature.`,
    );
}

function featuresIn(files: Files, feature: string): string[] {
  const texts = files
    .list(`src/modules/${feature}`)
    .filter((file) => file.endsWith('.ts'))
    .map((file) => files.read(`src/modules/${feature}/${file}`));
  return texts.flatMap((text) =>
    [...text.matchAll(/from '\.\.\/([\w-]+)\/index\.js'/g)].map(([, name]) => name!),
  );
}

/** The spec of a generated event: it asks each of its consumers. */
export function specOf(event: string): string {
  return `test/e2e/${event.replaceAll('.', '-')}.event.spec.ts`;
}

/** Finds an event by its name, such as `invoice.sent`, and the list of its consumers. */
export function findEvent(files: Files, event: string): Declared & { path: string } {
  for (const feature of files.tree.getDir('src/modules').subdirs) {
    const path = `src/modules/${feature}/${feature}.events.ts`;
    if (!files.has(path)) continue;
    const call = callOf(files.read(path), event);
    if (!call) continue;
    const declaration = call.parent as ts.VariableDeclaration;
    return {
      path,
      feature,
      event,
      constant: declaration.name.getText(),
      type: call.typeArguments?.[0]?.getText() ?? 'object',
    };
  }
  throw new GeneratorFailure(
    `No feature declares the event ${event}: declare it by npm run g -- event, or mind its spelling.`,
  );
}

/** A payload of an event that has plain members, as an expression; undefined for any other. */
export function payloadOf(files: Files, { path, type }: Declared & { path: string }): string | undefined {
  const SAMPLES: Record<string, string> = { string: `'text'`, number: '12', boolean: 'true' };
  const declared = find(
    parse(files.read(path)),
    ts.isInterfaceDeclaration,
    (node) => node.name.text === type,
  );
  const members = declared?.members.filter(ts.isPropertySignature).filter((member) => !member.questionToken);
  const values = members?.map((member) => {
    const [name, of = ''] = [member.name.getText(), member.type?.getText()];
    return of === 'string' && name.endsWith('Id') ? `${name}: NOBODY` : `${name}: ${SAMPLES[of]}`;
  });
  return values?.some((value) => value.endsWith(': undefined'))
    ? undefined
    : values && `{ ${values.join(', ')} }`;
}

/** `defineEvent<…>('invoice.sent', …)` */
export function callOf(text: string, event: string): ts.CallExpression | undefined {
  return find(parse(text), ts.isCallExpression, (node) => {
    const [name] = node.arguments;
    return (
      node.expression.getText() === 'defineEvent' && !!name && ts.isStringLiteral(name) && name.text === event
    );
  });
}
