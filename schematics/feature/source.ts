import { controller } from './controller.ts';
import { entity } from './entity.ts';
import { classes, createDto, dto, fieldsDto } from './dto.ts';
import { eventsOf, processorOf } from './events.ts';
import type { Feature } from './feature.ts';
import { hasQuery, queryDto } from './list.ts';
import { migration } from './migration.ts';
import { service } from './service.ts';
import { slugSource } from './slug.ts';

/** The files of a feature, as the plainest one of the house has them (src/modules/addresses); prettier has the last word. */
export function sourceOf(feature: Feature): Record<string, string> {
  const { names, fields, events, timestamp } = feature;
  const folder = `src/modules/${names.plural}`;
  return {
    [`${folder}/${names.singular}.entity.ts`]: entity(feature),
    ...classes(feature, folder),
    [`${folder}/dto/${names.singular}-fields.dto.ts`]: fieldsDto(feature),
    ...(fields.some(({ immutable }) => immutable) && {
      [`${folder}/dto/create-${names.singular}.dto.ts`]: createDto(feature),
    }),
    [`${folder}/dto/${names.singular}.dto.ts`]: dto(feature),
    ...(hasQuery(feature) && { [`${folder}/dto/${names.singular}-query.dto.ts`]: queryDto(feature) }),
    ...(feature.titled && { [`${folder}/${names.singular}-slug.ts`]: slugSource(feature) }),
    [`${folder}/${names.plural}.service.ts`]: service(feature),
    [`${folder}/${names.plural}.controller.ts`]: controller(feature),
    ...(events && {
      [`${folder}/${names.plural}.events.ts`]: eventsOf(feature),
      [`${folder}/${names.plural}.processor.ts`]: processorOf(feature),
    }),
    [`${folder}/${names.plural}.module.ts`]: module(feature),
    [`${folder}/index.ts`]: index(feature),
    [`migrations/${timestamp}-${names.plural}.ts`]: migration(feature),
  };
}

export function index({ names, events }: Feature): string {
  const { camel: one, plural } = names;
  return `${
    events
      ? `export { ${one}Changed, ${one}Created, ${one}Deleted, type ${names.pascal}Event } from './${plural}.events.js';\n`
      : ''
  }export { ${names.pascalPlural}Module } from './${plural}.module.js';\n`;
}

export function module({ names, events, idempotent }: Feature): string {
  const { pascal: One, pascalPlural: Many, camel: one, plural, singular } = names;
  const imports = [
    `TypeOrmModule.forFeature([${One}])`,
    ...(events
      ? [
          `MessagingModule.forFeature({ events: [${one}Created, ${one}Changed, ${one}Deleted], queues: ['${plural}'] })`,
        ]
      : []),
    ...(idempotent ? ['IdempotencyModule'] : []),
  ];
  return `import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
${idempotent ? `import { IdempotencyModule } from '../../platform/idempotency/index.js';\n` : ''}${events ? `import { MessagingModule } from '../../platform/messaging/index.js';\n` : ''}import { ${One} } from './${singular}.entity.js';
import { ${Many}Controller } from './${plural}.controller.js';
${events ? `import { ${one}Changed, ${one}Created, ${one}Deleted } from './${plural}.events.js';\nimport { ${Many}Processor } from './${plural}.processor.js';\n` : ''}import { ${Many}Service } from './${plural}.service.js';

@Module({
  imports: [${imports.join(', ')}],
  controllers: [${Many}Controller],
  providers: [${Many}Service${events ? `, ${Many}Processor` : ''}],
})
export class ${Many}Module {}
`;
}
