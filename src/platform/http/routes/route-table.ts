import type { RouteOptions } from 'fastify';

interface Entry {
  pattern: RegExp;
  url: string;
  methods: Set<string>;
}

/** All routes, to distinguish "no such resource" (404) from "not with this method" (405, RFC 9110 section 15.5.6). */
export class RouteTable {
  private readonly entries = new Map<string, Entry>();

  add(route: RouteOptions): void {
    const entry = this.entries.get(route.url) ?? {
      pattern: patternOf(route.url),
      url: route.url,
      methods: new Set(),
    };
    for (const method of [route.method].flat()) entry.methods.add(method);
    this.entries.set(route.url, entry);
  }

  /** Methods that the resource of a path supports, sorted; empty when there is no such resource. */
  allowed(path: string): string[] {
    const methods = [...this.entries.values()]
      .filter(({ pattern }) => pattern.test(path))
      .flatMap((entry) => [...entry.methods]);
    return [...new Set(methods)].sort();
  }

  /** Patterns and their methods, for tests that compare the routes with the documentation. */
  list(): { url: string; methods: string[] }[] {
    return [...this.entries.values()].map(({ url, methods }) => ({ url, methods: [...methods].sort() }));
  }
}

/** A route's pattern as a regular expression over request paths. */
export function patternOf(url: string): RegExp {
  const escaped = url.replace(/[.+?^${}()|[\]\\]/g, '\\$&');
  return new RegExp(`^${escaped.replace(/:[^/]+/g, '[^/]+').replace(/\*/g, '.*')}$`);
}
