import { roomOf, type Project, type Rule, type Violation } from '../project.js';

interface Edge {
  from: string;
  to: string;
  path: string;
  line: number;
}

/** Neither features nor rooms of the platform need each other in a circle: each can be understood, tested and removed alone. */
export const noCycles: Rule = {
  name: 'no-cycles',
  check: (project) => {
    const edges = edgesOf(project);
    const found = new Map<string, Violation>();
    for (const start of new Set(edges.map(({ from }) => from))) {
      const cycle = shortestCycle(start, edges);
      const [first] = cycle;
      if (!first) continue;
      const members = cycle.map(({ from }) => from);
      const key = members.toSorted().join();
      if (found.has(key)) continue;
      const where = cycle.map(({ path, line }) => `${path}:${line}`).join(', ');
      found.set(key, {
        path: first.path,
        line: first.line,
        what: `closes the circle ${[...members, start].map(nameOf).join(' -> ')} (${where})`,
        remedy:
          'Let one of them announce an event that the other consumes, or move what both need into a third place',
      });
    }
    return [...found.values()];
  },
};

function edgesOf({ sources }: Project): Edge[] {
  return sources.flatMap(({ path, imports }) => {
    const from = roomOf(path);
    return imports.flatMap(({ line, target }) => {
      const to = target ? roomOf(target) : from;
      return from.kind === 'root' || to.kind === 'root' || to.path === from.path
        ? []
        : { from: from.path, to: to.path, path, line };
    });
  });
}

/** Breadth first, so that the message shows the fewest imports that would have to go. */
function shortestCycle(start: string, edges: Edge[]): Edge[] {
  const seen = new Set<string>();
  let trails: Edge[][] = [[]];
  while (trails.length > 0) {
    const next: Edge[][] = [];
    for (const trail of trails) {
      for (const edge of edges.filter(({ from }) => from === (trail.at(-1)?.to ?? start))) {
        if (edge.to === start) return [...trail, edge];
        if (seen.has(edge.to)) continue;
        seen.add(edge.to);
        next.push([...trail, edge]);
      }
    }
    trails = next;
  }
  return [];
}

function nameOf(room: string): string {
  return room.replace(/^src\/(modules\/)?/, '');
}
