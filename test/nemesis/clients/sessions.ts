import type { Random } from '../random.ts';
import { jsonOf, type Asked, type Client, type Done } from './client.ts';

const REGISTER = '/v1/auth/register';
const LOGIN = '/v1/auth/login';
const REFRESH = '/v1/auth/refresh';
const LOGOUT = '/v1/auth/logout';

interface Tokens {
  accessToken: string;
  refreshToken: string;
}

/** A session: of a client that behaves well, until it is ended on purpose. */
export interface Session {
  /** For the history, where no token may stand. */
  name: string;
  accessToken: string;
  /** Refresh tokens, oldest first. All but the last were exchanged. */
  tokens: string[];
  state:
    | 'alive'
    /** Logged out, or used by a thief: no token of it may ever work again. */
    | 'ended'
    /** The client does not know whether it is ended: nothing can be expected of it. */
    | 'doubtful';
}

/** Where the sessions of a run are written down. */
export interface SessionBook {
  sessions: Session[];
  /** What no log line may contain. */
  secrets: string[];
}

/** What is expected of the answer to a refresh, if there is one that is not 503. */
export type Expected = 'accepted' | 'rejected';

/** Registers, logs in, refreshes now and then, and sometimes logs out, or loses a token to a thief. */
export function keepSessions(client: Client, book: SessionBook): Promise<void> {
  return client.loop([100, 400], async () => {
    const session = await begin(client, book);
    if (!session) return;
    const refreshes = client.random.integer(2, 6);
    for (let i = 0; i < refreshes && !client.isOver; i += 1) {
      await client.pause(client.random.integer(100, 700));
      if (!(await refresh(client, book, session))) return;
    }
    if (client.isOver || session.state !== 'alive') return;
    const end = client.random.next();
    if (end < 0.4) await logOut(client, session);
    else if (end < 0.7) await beRobbed(client, session);
    if (hasEnded(session)) await tryAgain(client, session);
  });
}

/** Sends the same until the answer is not a 503. @returns undefined when the load was over first */
async function until(client: Client, act: () => Promise<Done>): Promise<Done | undefined> {
  for (;;) {
    const done = await act();
    const { status } = done.operation;
    if (status !== undefined && status < 500 && status !== 429) return done;
    if (client.isOver) return undefined;
    await client.waitToRetry(done.answer);
  }
}

async function begin(client: Client, book: SessionBook): Promise<Session | undefined> {
  const person = credentials(client.name, client.random);
  const { email, password } = person;
  book.secrets.push(password);
  const about = { object: email, input: {} };
  const post = (kind: string, path: string, body: object) =>
    until(client, () => client.ask(client.anyApi(), { ...about, kind }, { method: 'POST', path, body }));
  // 409 after an attempt that was not answered: it had been done.
  if (!(await post('register', REGISTER, person))) return undefined;
  const login = await post('login', LOGIN, { email, password });
  if (login?.operation.outcome !== 'ok') return undefined;
  const { accessToken, refreshToken } = jsonOf<Tokens>(login.answer!);
  const name = `session ${book.sessions.length}`;
  const session: Session = { name, accessToken, tokens: [refreshToken], state: 'alive' };
  book.sessions.push(session);
  book.secrets.push(accessToken, refreshToken);
  return session;
}

/**
 * Exchanges the latest refresh token, with the same one again after a 503 or no answer. The successor is used soon after: an attempt
 * that nobody waits for any more may arrive later than that.
 * @returns whether the client knows what became of it
 */
export async function refresh(client: Client, book: SessionBook, session: Session): Promise<boolean> {
  const done = await until(client, () =>
    exchange(client, session, session.tokens.length - 1, 'accepted', moodOf(client)),
  );
  if (!done) return false;
  if (done.operation.outcome === 'ok') take(book, session, done);
  else session.state = 'doubtful';
  return true;
}

/** A client that loses the answer now and then, at the moment at which it is made, or that waits for it only briefly. */
function moodOf({ random }: Client): Partial<Asked> {
  const mood = random.next();
  if (mood < 0.2) return { hangUpAfterMs: random.integer(0, 10) };
  if (mood < 0.3) return { patienceMs: random.integer(20, 1_000) };
  return {};
}

function take(book: SessionBook, session: Session, { answer }: Done): void {
  const { accessToken, refreshToken } = jsonOf<Tokens>(answer!);
  session.accessToken = accessToken;
  session.tokens.push(refreshToken);
  book.secrets.push(accessToken, refreshToken);
}

/** Presents one of the session's refresh tokens. */
function exchange(
  client: Client,
  session: Session,
  index: number,
  expected: Expected,
  more: Partial<Asked> = {},
): Promise<Done> {
  const about = { kind: 'refresh', object: session.name, input: { token: index, expected } };
  const body = { refreshToken: session.tokens[index] };
  return client.ask(client.anyApi(), about, { method: 'POST', path: REFRESH, body, ...more });
}

/** Ends the session. An answer 401 says that an earlier attempt has. */
async function logOut(client: Client, session: Session): Promise<void> {
  session.state = 'doubtful';
  const about = { kind: 'logout', object: session.name, input: {} };
  const ask = { method: 'POST', path: LOGOUT, token: session.accessToken } as const;
  const done = await until(client, () => client.ask(client.anyApi(), about, ask));
  if (done?.operation.outcome === 'ok') session.state = 'ended';
}

/** A token is presented whose successor was used: somebody else has it, and the session has to end. */
async function beRobbed(client: Client, session: Session): Promise<void> {
  if (session.tokens.length < 3) return;
  session.state = 'doubtful';
  const done = await until(client, () => exchange(client, session, 0, 'rejected'));
  if (done?.operation.status === 401) session.state = 'ended';
}

export function hasEnded({ state }: Session): boolean {
  return state === 'ended';
}

/** No token of a session that has ended may work. */
export async function tryAgain(client: Client, session: Session): Promise<void> {
  const index = client.random.integer(0, session.tokens.length - 1);
  for (const token of [session.tokens.length - 1, index]) await exchange(client, session, token, 'rejected');
}

/** Of somebody new. */
export function credentials(name: string, random: Random): { email: string; password: string; name: string } {
  const unique = random.integer(0, 2 ** 31).toString(36) + random.integer(0, 2 ** 31).toString(36);
  return { email: `${name}-${unique}@nemesis.example`, password: `canary-password-${unique}`, name };
}
