import { roomOf, type Room, type Rule } from '../project.js';

/** What each kind of room stands on; whoever is not named is above it. */
const FOUNDATIONS: Record<Room['kind'], Room['kind'][]> = {
  root: ['root', 'feature', 'platform', 'config'],
  feature: ['feature', 'platform', 'config'],
  platform: ['platform', 'config'],
  config: ['config'],
  local: ['local'],
};

const REMEDIES: Record<Room['kind'], string> = {
  root: 'Nothing may be built on the application',
  feature: 'Pass a value or function in from the application, or let the feature consume an event',
  platform: 'Move what is needed into the platform, or let the feature register it there',
  config: 'The configuration is read before anything else exists: keep it free of imports from the rest',
  local: 'The local servers know neither the product nor its tests: pass in what they need',
};

/**
 * `platform/` knows no feature, `config/` knows nobody, and nobody knows the application that is made of them. `local/`
 * stands beside the product: the image does not contain it.
 */
export const roomsBelow: Rule = {
  name: 'rooms-below',
  check: ({ files, sources }) =>
    [...sources, ...files.filter(({ path }) => path.startsWith('local/'))].flatMap(({ path, imports }) => {
      const here = roomOf(path);
      return imports.flatMap(({ line, target }) =>
        !target || FOUNDATIONS[here.kind].includes(roomOf(target).kind)
          ? []
          : { path, line, what: `imports ${target}, which stands above it`, remedy: REMEDIES[here.kind] },
      );
    }),
};
