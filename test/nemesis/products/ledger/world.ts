import { httpClient, type HttpResponse } from '../../../../local/http.ts';
import { ACCOUNTS, LOGIN, newAccount, REGISTER } from '../../../specimen/outside.ts';
import type { KeyedWrite } from '../../clients/keyed-writes.ts';
import { credentials, type SessionBook } from '../../clients/sessions.ts';
import type { Random } from '../../random.ts';
import type { Rig } from '../../rig.ts';

/** A user of the ledger, logged in. */
export interface Person {
  id: string;
  email: string;
  password: string;
  token: string;
}

export interface Account {
  id: string;
  owner: Person;
  /** The name that it was opened with. */
  name: string;
  opening: number;
}

/** A write of money. */
export interface LedgerWrite extends KeyedWrite {
  kind: 'transfer' | 'withdraw';
  /** The account that money is taken from. */
  from: string;
  /** No other write of this run has it: by its amount its effects are found everywhere. */
  amount: number;
}

/** All that the clients of one run begin with and bring about. */
export interface World extends SessionBook {
  /** Accounts that transfers are made between; all they do is in the history. */
  hot: Account[];
  /** Accounts that money is withdrawn from. */
  tills: Account[];
  writes: LedgerWrite[];
  /** Amounts that were sent under a used key with another body: they must have no effect. */
  forbidden: number[];
  /** Ids of transfers that were acknowledged, latest last. */
  transfers: { id: string; owner: Person }[];
  /** Workers that were seen to handle events once everything was whole again. */
  workersAtWork: Set<string>;
  /** Apis that went on refusing some of many requests at once when everything was whole again. */
  refusing: string[];
  nextAmount(): number;
}

const worlds = new WeakMap<Rig, World>();

export function worldOf(rig: Rig): World {
  const world = worlds.get(rig);
  if (!world) throw new Error('The ledger was not prepared on this rig.');
  return world;
}

const HOT_BALANCE = 3_000_000;
const TILL_BALANCE = 2_000_000;

/** Registers the users and opens the accounts. */
export async function createWorld(rig: Rig, random: Random): Promise<World> {
  const url = rig.urlOf('api-1');
  const [ada, bob, cleo] = await Promise.all(
    ['ada', 'bob', 'cleo'].map((name) => newPerson(url, name, random)),
  );
  const open = async (owner: Person, name: string, opening: number): Promise<Account> => {
    const account = await httpClient(url)
      .as(owner.token)
      .post<{ id: string }>(ACCOUNTS, newAccount(name, opening));
    return { id: expected(201, account).id, owner, name, opening };
  };
  const hot = await Promise.all([
    open(ada!, 'hot 1', HOT_BALANCE),
    open(bob!, 'hot 2', HOT_BALANCE),
    // Nearly empty: transfers from it are refused now and then.
    open(ada!, 'hot 3', 300),
  ]);
  const tills = await Promise.all([open(cleo!, 'till 1', TILL_BALANCE), open(cleo!, 'till 2', TILL_BALANCE)]);
  let amount = 0;
  const world: World = {
    hot,
    tills,
    writes: [],
    forbidden: [],
    sessions: [],
    secrets: secretsOf(rig, [ada!, bob!, cleo!]),
    transfers: [],
    workersAtWork: new Set(),
    refusing: [],
    nextAmount: () => (amount += 1),
  };
  worlds.set(rig, world);
  return world;
}

export async function newPerson(url: string, name: string, random: Random): Promise<Person> {
  const person = credentials(name, random);
  const { id } = expected(201, await httpClient(url).post<{ id: string }>(REGISTER, person));
  const { email, password } = person;
  const login = await httpClient(url).post<{ accessToken: string }>(LOGIN, { email, password });
  return { id, email, password, token: expected(200, login).accessToken };
}

/** Settings that must not be logged, passwords, and tokens. */
function secretsOf({ env }: Rig, people: Person[]): string[] {
  const { DATABASE_URL, REDIS_URL, PAYMENT_PROVIDER_API_KEY, PAYMENT_WEBHOOK_SECRET, AUTH_TOKEN_SECRET } =
    env;
  const ofUrls = [DATABASE_URL, REDIS_URL].map((url) => url && new URL(url).password);
  const ofPeople = people.flatMap(({ password, token }) => [password, token]);
  return [...ofUrls, PAYMENT_PROVIDER_API_KEY, PAYMENT_WEBHOOK_SECRET, AUTH_TOKEN_SECRET, ...ofPeople].filter(
    (secret): secret is string => Boolean(secret),
  );
}

function expected<T>(status: number, answer: HttpResponse<T>): T {
  if (answer.status !== status) throw new Error(`Not ${status}: ${answer.status} ${answer.text}`);
  return answer.body;
}
