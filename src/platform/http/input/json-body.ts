import type { FastifyInstance, FastifyRequest } from 'fastify';
import { ClientError, type FieldProblem } from '../../errors/index.js';
import { invalidInput, pointerToken, textProblem } from './invalid-input.js';

/** Levels of nesting, far beyond any DTO. */
const DEEPEST = 20;
/** Members and elements in a whole body, far beyond any DTO: checking them one by one must not block the event loop. */
const MOST_VALUES = 5000;

/** JSON is the only kind of body; its text is kept for signatures. Fastify answers anything else with 415. */
export function parseJsonOnly(fastify: FastifyInstance): void {
  const parse = fastify.getDefaultJsonParser('error', 'error');
  fastify.removeAllContentTypeParsers();
  fastify.addContentTypeParser(
    'application/json',
    { parseAs: 'string' },
    (request: FastifyRequest, body, done) => {
      const text = body as string;
      request.rawBody = text;
      // Clients send the content type with an empty body too; where a body is needed, validation says so.
      if (text === '') return done(null, undefined);
      const excess = excessOf(text);
      if (excess) return done(excess);
      void parse(request, text, (error, value) => done(error ?? illFormedText(text, value), value));
    },
  );
}

/**
 * Whether a body has more structure than any expected one, read from its text.
 *
 * Checked before parsing: V8's parser (Node 26.10) corrupts its memory when an error follows some ten thousand levels, so 30 KiB
 * from any client, `[0,[0,[0,...0]0]0]`, end the process.
 */
export function excessOf(text: string): ClientError | undefined {
  let depth = 0;
  let values = 0;
  let quoted = false;
  for (let at = 0; at < text.length; at += 1) {
    const character = text[at];
    if (quoted) {
      if (character === '\\') at += 1;
      else if (character === '"') quoted = false;
    } else if (character === '"') quoted = true;
    else if (character === '[' || character === '{') {
      depth += 1;
      values += 1;
      if (depth > DEEPEST) return invalidInput([whole('is-shallow', 'it is nested too deeply')]);
    } else if (character === ']' || character === '}') depth -= 1;
    else if (character === ',') values += 1;
    if (values > MOST_VALUES) return invalidInput([whole('is-small', 'it has too many members')]);
  }
  return undefined;
}

/** Text that cannot be stored gets into a body by escapes only, because its bytes have been decoded as UTF-8. */
function illFormedText(text: string, value: unknown): ClientError | null {
  if (!text.includes('\\u')) return null;
  const problems = textProblemsIn(value);
  return problems.length > 0 ? invalidInput(problems) : null;
}

function textProblemsIn(value: unknown, pointer = '', name = 'it'): FieldProblem[] {
  if (typeof value === 'string') {
    const problem = textProblem(value, name);
    return problem ? [{ pointer, ...problem }] : [];
  }
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([member, inner]: [string, unknown]) => {
    const place = `${pointer}/${pointerToken(member)}`;
    const problem = textProblem(member, 'its name');
    return problem ? [{ pointer: place, ...problem }] : textProblemsIn(inner, place, member);
  });
}

function whole(code: string, message: string): FieldProblem {
  return { pointer: '', code, message };
}
