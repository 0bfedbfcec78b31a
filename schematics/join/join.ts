import schema from '../feature/schema.json' with { type: 'json' };
import type { Access, Deletion, Feature } from '../feature/feature.ts';
import { deletionsOf, namesBySample, PATH, samplesOf } from '../feature/others.ts';
import { isReference } from '../feature/table.ts';
import { GeneratorFailure } from '../lib/failure.ts';
import { fieldsOf, type Field } from '../lib/fields.ts';
import type { Files } from '../lib/generator.ts';
import { kebab, namesOf, snake, type Names } from '../lib/names.ts';
import { hasSlugs, leadsTo } from '../lib/references.ts';

/** One of the two features whose rows are joined. */
export interface Side {
  names: Names;
  /** `articleId` */
  property: string;
  column: string;
}

/** A table whose key is those of two others: rows of the second one are below a row of the first. */
export interface Join extends Feature {
  access: Exclude<Access, 'optional'>;
  first: Side;
  second: Side;
  /** The side that is the caller, of a join whose rows belong to callers. */
  callers?: Side;
}

interface Options {
  name: string;
  fields?: string;
  singular?: string;
  join?: string;
  owner?: boolean;
  access?: Exclude<Access, 'owner'>;
  path?: string;
  timestamp?: number;
}

/** What a join takes of the options of features; of the others only their defaults. */
const TAKEN = ['name', 'fields', 'singular', 'join', 'owner', 'access', 'path', 'timestamp'];
const KNOWN = schema.properties as Record<string, { type: string; default?: unknown }>;

/** @throws GeneratorFailure for what cannot be made */
export function joinOf(files: Files, options: Options): Join {
  const { owner = false, path, timestamp = Date.now() } = options;
  const names = namesOf(options.name, options.singular);
  const features = /^([a-z][a-z0-9-]*):([a-z][a-z0-9-]*)$/.exec(options.join ?? '')?.slice(1);
  if (!features) throw new GeneratorFailure(`"${options.join}" joins nothing: write --join articles:users.`);
  requireFits(files, features, options);
  const samples = samplesOf(files.tree, features);
  const [first, second] = features.map((feature) => sideOf(feature, samples)) as [Side, Side];
  const callers = owner ? [first, second].find(({ names: { plural } }) => plural === 'users') : undefined;
  if (owner && !callers)
    throw new GeneratorFailure('With --owner one side of the join is users: the caller.');
  if (owner && options.access === undefined && callers === second)
    throw new GeneratorFailure(
      `Callers would see their own rows alone, one of each list: write --join users:${features[0]}, or say with --access who else reads.`,
    );
  if (path !== undefined && !PATH.test(path))
    throw new GeneratorFailure(`"${path}" is no path: write what comes after the first id, such as members.`);
  const fields = options.fields ? fieldsOf(options.fields) : [];
  requirePlain(fields, [first, second]);
  return {
    names,
    fields,
    first,
    second,
    owner,
    callers,
    access: (options.access as Join['access'] | undefined) ?? (owner ? 'owner' : 'caller'),
    // Its route is below the first side.
    parent: first.names,
    path: path ?? names.plural,
    page: 'keyset',
    events: false,
    idempotent: false,
    cached: false,
    samples,
    deletions: {},
    timestamp,
  };
}

/** Where rows of the sides are deleted, of those that the other side does not refer to: by the feature. */
export function deletedSides(files: Files, { first, second, samples }: Join): Record<string, Deletion> {
  const found = deletionsOf(files, [first.names.plural, second.names.plural], samples);
  const names = Object.keys(found);
  return Object.fromEntries(
    Object.entries(found).filter(
      ([feature]) => !names.some((other) => other !== feature && leadsTo(files, other, feature)),
    ),
  );
}

function requireFits(files: Files, [first, second]: string[], options: Options): void {
  const [given] =
    Object.entries(options).find(
      ([name, value]) =>
        !TAKEN.includes(name) && name in KNOWN && value !== undefined && value !== KNOWN[name]!.default,
    ) ?? [];
  if (given !== undefined)
    throw new GeneratorFailure(
      `--join cannot be combined with --${KNOWN[given]!.default === true ? 'no-' : ''}${kebab(given)}.`,
    );
  if (options.access === 'optional')
    throw new GeneratorFailure('--join cannot be combined with --access optional.');
  if (first === second)
    throw new GeneratorFailure(
      `Both sides are ${first}: generate a feature with a field of the kind ref(${first}) for one of them.`,
    );
  const slugs = [first!, second!].find((side) => hasSlugs(files, side));
  if (slugs) throw new GeneratorFailure(`--join needs ids in the paths of ${slugs}, which have slugs.`);
}

/** @throws GeneratorFailure for fields that need more than a row that is replaced as a whole */
function requirePlain(fields: Field[], sides: Side[]): void {
  const unfit = fields.find(
    (one) => one.unique || one.indexed || one.searchable || one.immutable || isReference(one),
  );
  if (unfit)
    throw new GeneratorFailure(
      `${unfit.name}: a field of a join is optional, has a default, or neither, and refers to nothing.`,
    );
  const taken = sides.find(({ property }) => fields.some(({ name }) => name === property));
  if (taken) throw new GeneratorFailure(`With --join every row has ${taken.property} already.`);
}

function sideOf(feature: string, samples: Record<string, string>): Side {
  const names = namesBySample(feature, samples);
  return { names, property: `${names.camel}Id`, column: snake(`${names.camel}Id`) };
}
