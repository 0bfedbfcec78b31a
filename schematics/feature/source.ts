import { controller } from './controller.ts';
import { entity } from './entity.ts';
import { classes, createDto, dto, fieldsDto } from './dto.ts';
import type { Feature } from './feature.ts';
import { hasQuery, queryDto } from './list.ts';
import { migration } from './migration.ts';
import { service } from './service.ts';

/** The files of a feature, as the plainest one of the house has them (src/modules/addresses); prettier has the last word. */
export function sourceOf(feature: Feature): Record<string, string> {
  const { names, fields, timestamp } = feature;
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
    [`${folder}/${names.plural}.service.ts`]: service(feature),
    [`${folder}/${names.plural}.controller.ts`]: controller(feature),
    [`${folder}/${names.plural}.module.ts`]: module(feature),
    [`${folder}/index.ts`]: `export { ${names.pascalPlural}Module } from './${names.plural}.module.js';\n`,
    [`migrations/${timestamp}-${names.plural}.ts`]: migration(feature),
  };
}

function module({ names }: Feature): string {
  const { pascal: One, pascalPlural: Many, plural, singular } = names;
  return `import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { ${One} } from './${singular}.entity.js';
import { ${Many}Controller } from './${plural}.controller.js';
import { ${Many}Service } from './${plural}.service.js';

@Module({
  imports: [TypeOrmModule.forFeature([${One}])],
  controllers: [${Many}Controller],
  providers: [${Many}Service],
})
export class ${Many}Module {}
`;
}
