import { describe, expect, it } from 'vitest';
import { placesOf, type ProblemBody } from './refusals.js';

/** A route, which member of its body is replaced by which values, each of which must be refused there. `undefined` leaves it out. */
export type WrongValues<Route extends string> = [route: Route, pointer: string, values: unknown[]][];

/**
 * One test for each value.
 * @param refused sends a body to a route, which must answer 422
 * @param bodyOf a body that the route accepts
 */
export function describeWrongValues<Route extends string>(
  wrong: WrongValues<Route>,
  bodyOf: (route: Route) => object,
  refused: (route: Route, text: string) => Promise<ProblemBody>,
): void {
  describe('a member with a value that it cannot have', () => {
    const cases = wrong.flatMap(([route, pointer, values]) =>
      values.map((value) => ({ route, pointer, value, shown: JSON.stringify(value)?.slice(0, 60) })),
    );

    it.each(cases)('$route $pointer = $shown is 422 there', async ({ route, pointer, value }) => {
      const body = structuredClone(bodyOf(route));
      replace(body, pointer, value);

      const problem = await refused(route, JSON.stringify(body));
      expect(problem.code).toBe('validation-failed');
      expect(
        placesOf(problem).filter((place) => place !== pointer && !place.startsWith(`${pointer}/`)),
      ).toEqual([]);
      expect(placesOf(problem)).not.toEqual([]);
    });
  });
}

function replace(body: unknown, pointer: string, value: unknown): void {
  const tokens = pointer.slice(1).split('/');
  const last = tokens.pop() ?? '';
  const parent = tokens.reduce<Record<string, unknown>>(
    (node, token) => node[token] as Record<string, unknown>,
    body as Record<string, unknown>,
  );
  parent[last] = value;
}
