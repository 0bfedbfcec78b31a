import { roomOf, type Project, type Rule, type Violation } from '../project.js';

interface Edge {
  from: string;
  to: string;
  path: string;
  line: number;
}

/**
 * Neither features nor rooms of the platform need each other in a circle, nor do the drawers inside of one: each can be understood,
 * tested and removed alone.
 */
export const noCycles: Rule = {
  name: 'no-cycles',
  check: (project) => [
    ...violations(
      edgesOf(project, betweenRooms),
      'Let one of them announce an event that the other consumes, or move what both need into a third place',
    ),
    ...violations(
      edgesOf(project, insideOfRooms),
      'Move what both need into a third drawer, or pass it in from the file that uses both',
    ),
  ],
};

type Ends = Pick<Edge, 'from' | 'to'> | undefined;

function betweenRooms(path: string, target: string): Ends {
  const [from, to] = [roomOf(path), roomOf(target)];
  return from.kind === 'root' || to.kind === 'root' ? undefined : { from: from.path, to: to.path };
}

function insideOfRooms(path: string, target: string): Ends {
  const room = roomOf(path);
  if (room.kind === 'root' || roomOf(target).path !== room.path) return undefined;
  return { from: drawerOf(path, room.path), to: drawerOf(target, room.path) };
}

/** A folder of a room. A file beside the folders stands for itself. */
function drawerOf(path: string, room: string): string {
  const [first = ''] = path.slice(room.length + 1).split('/');
  return `${room}/${first}`;
}

function edgesOf({ sources }: Project, endsOf: (path: string, target: string) => Ends): Edge[] {
  return sources.flatMap(({ path, imports }) =>
    imports.flatMap(({ line, target }) => {
      const ends = target && endsOf(path, target);
      return !ends || ends.from === ends.to ? [] : { ...ends, path, line };
    }),
  );
}

function violations(edges: Edge[], remedy: string): Violation[] {
  const found = new Map<string, Violation>();
  for (const start of new Set(edges.map(({ from }) => from))) {
    const cycle = shortestCycle(start, edges);
    const [first] = cycle;
    if (!first) continue;
    const members = cycle.map(({ from }) => from);
    // Files side by side, without a drawer between them.
    if (members.every((member) => member.endsWith('.ts'))) continue;
    const key = members.toSorted().join();
    if (found.has(key)) continue;
    const where = cycle.map(({ path, line }) => `${path}:${line}`).join(', ');
    found.set(key, {
      path: first.path,
      line: first.line,
      what: `closes the circle ${[...members, start].map(nameOf).join(' -> ')} (${where})`,
      remedy,
    });
  }
  return [...found.values()];
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
