import { writeScopes, type Feature } from './feature.ts';

/** What the feature announces. */
export function eventsOf(feature: Feature): string {
  const { names } = feature;
  const { pascal: One, camel: one, singular, plural, words } = names;
  const define = (what: string, name: string): string =>
    `export const ${one}${what} = defineEvent<${One}Event>('${singular}.${name}', { consumers: ['${plural}'] });\n`;
  return `import { defineEvent } from '../../platform/messaging/index.js';

/** Something has happened to ${/^[aeiou]/.test(words) ? 'an' : 'a'} ${words}; what it is now, its service says. */
export interface ${One}Event {
  ${one}Id: string;
${writeScopes(feature)
  .map(({ property }) => `  ${property}: string;\n`)
  .join('')}}

${define('Created', 'created')}
${define('Changed', 'changed')}
${define('Deleted', 'deleted')}`;
}

/** What follows from it: a handler for each event. */
export function processorOf({ names }: Feature): string {
  const { pascal: One, pascalPlural: Many, camel: one, plural } = names;
  const handler = (what: string): string => `  @Handles(${one}${what})
  on${One}${what}(event: DeliveredEvent<${One}Event>): Promise<void> {
    return this.once(event);
  }
`;
  return `import { EventConsumer, EventProcessor, Handles, type DeliveredEvent } from '../../platform/messaging/index.js';
import { ${one}Changed, ${one}Created, ${one}Deleted, type ${One}Event } from './${plural}.events.js';

@EventProcessor('${plural}')
export class ${Many}Processor extends EventConsumer {
${['Created', 'Changed', 'Deleted'].map(handler).join('\n')}
  /** However often it is delivered. */
  private async once(event: DeliveredEvent<${One}Event>): Promise<void> {
    await this.inbox.once(event, async () => {
      // What follows in the database belongs here: it commits with the record that the event was handled, or not at all.
    });
  }
}
`;
}
