import type { Type } from '@nestjs/common';
import { defaultMetadataStorage } from 'class-transformer/cjs/storage.js';
import { getMetadataStorage } from 'class-validator';

/** The members that a DTO declares, with the DTO that a member holds (or a list of it). */
export type KnownMembers = Map<string, Type<object> | undefined>;

const known = new Map<Type<object>, KnownMembers>();

/** The members that a DTO's decorators declare; read once for each class. */
export function knownMembersOf(dto: Type<object>): KnownMembers {
  let members = known.get(dto);
  if (!members) {
    members = new Map(declaredBy(dto).map((name) => [name, nestedIn(dto, name)]));
    known.set(dto, members);
  }
  return members;
}

function declaredBy(dto: unknown): string[] {
  if (typeof dto !== 'function') return [];
  const declarations = getMetadataStorage().getTargetValidationMetadatas(dto, '', false, false);
  return declarations.map(({ propertyName }) => propertyName);
}

function nestedIn(dto: Type<object>, name: string): Type<object> | undefined {
  // Typed as always there, but it is not.
  const declaration = defaultMetadataStorage.findTypeMetadata(dto, name) as
    ReturnType<typeof defaultMetadataStorage.findTypeMetadata> | undefined;
  // A class that depends on the input is left to class-validator.
  if (!declaration || declaration.options?.discriminator) return undefined;
  const nested = declaration.typeFunction() as unknown;
  return declaredBy(nested).length > 0 ? (nested as Type<object>) : undefined;
}
