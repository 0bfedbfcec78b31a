interface Operation {
  'x-deprecation'?: { sunset?: string };
}

interface Document {
  paths: Record<string, Record<string, Operation>>;
}

/** What clients may still count on of a released document. */
interface Expected {
  expected: Document;
  /** Operations that are gone after their sunset. */
  expired: string[];
  /** Operations whose sunset was brought forward. */
  broken: string[];
}

/** Takes from a released document the operations that are gone and whose sunset, as it was released, is past. */
export function withoutExpired(released: object, current: object, today: Date): Expected {
  const expected = structuredClone(released) as Document;
  const { paths } = current as Document;
  const expired: string[] = [];
  const broken: string[] = [];
  for (const [path, item] of Object.entries(expected.paths)) {
    for (const [method, operation] of Object.entries(item)) {
      const sunset = sunsetOf(operation);
      const name = `${method.toUpperCase()} ${path}`;
      const now = paths[path]?.[method];
      const isPast = sunset <= today.getTime();
      if (now && !isPast && sunset < Infinity && sunsetOf(now) < sunset) broken.push(name);
      if (now || !isPast) continue;
      delete item[method];
      expired.push(name);
    }
    if (Object.keys(item).length === 0) delete expected.paths[path];
  }
  return { expected, expired, broken };
}

/** Infinity without one. */
function sunsetOf({ 'x-deprecation': deprecation }: Operation): number {
  return deprecation?.sunset === undefined ? Infinity : Date.parse(deprecation.sunset);
}
