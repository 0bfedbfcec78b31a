import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export interface Instruction {
  keyword: string;
  text: string;
}

export interface Stage {
  name: string;
  from: string;
  instructions: Instruction[];
}

/** The stages of a Dockerfile, comments and line continuations resolved. */
export function parseDockerfile(text: string): Stage[] {
  const lines = text
    .split('\n')
    .filter((line) => !/^\s*#/.test(line))
    .join('\n')
    .replaceAll(/\\\n\s*/g, '')
    .split('\n')
    .filter((line) => line.trim() !== '');
  const stages: Stage[] = [];
  for (const line of lines) {
    const [keyword = ''] = line.split(/\s/, 1);
    const rest = line.slice(keyword.length).trim();
    if (keyword === 'FROM') {
      const [from = '', , name = ''] = rest.split(/\s+/);
      stages.push({ name, from, instructions: [] });
    } else {
      stages.at(-1)?.instructions.push({ keyword, text: rest });
    }
  }
  return stages;
}

/** Everything a stage is made of, inherited instructions first. */
export function inheritedBy(stages: Stage[], name: string): Instruction[] {
  const stage = stages.find((candidate) => candidate.name === name);
  return stage ? [...inheritedBy(stages, stage.from), ...stage.instructions] : [];
}

/** Sources of a COPY, and the stage they come from (undefined: the build context). */
export function copied({ text }: Instruction): { from?: string; sources: string[]; target: string } {
  const words = text.split(/\s+/);
  const from = words.find((word) => word.startsWith('--from='))?.slice('--from='.length);
  const paths = words.filter((word) => !word.startsWith('--'));
  return { from, sources: paths.slice(0, -1), target: paths.at(-1) ?? '' };
}

/** Whether `.dockerignore` lets a path of the repository into the build: the last pattern that matches decides. */
export function reachesBuild(root: string, path: string): boolean {
  if (!existsSync(join(root, path))) return false;
  const patterns = readFileSync(join(root, '.dockerignore'), 'utf8')
    .split('\n')
    .filter((line) => line.trim() !== '' && !line.startsWith('#'));
  const parts = path.split('/');
  const ways = parts.map((_, index) => parts.slice(0, index + 1).join('/'));
  let ignored = false;
  for (const pattern of patterns) {
    const bare = pattern.replace(/^!/, '');
    if (ways.some((way) => expressionOf(bare).test(way))) ignored = !pattern.startsWith('!');
  }
  return !ignored;
}

/** `*` and `**` as Docker understands them: unlike a shell's, they match names that start with a dot. */
function expressionOf(pattern: string): RegExp {
  const words: Record<string, string> = { '**/': '(?:.*/)?', '*': '[^/]*' };
  const source = pattern.replaceAll(/\*\*\/|\*|[.+^${}()|[\]\\]/g, (token) => words[token] ?? `\\${token}`);
  return new RegExp(`^${source}$`);
}
