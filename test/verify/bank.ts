import { randomBytes } from 'node:crypto';
import { httpClient } from '../../local/http.ts';
import type { HttpClient, HttpResponse } from '../../local/http.ts';
import type { RequestTemplate } from '../../local/requests.ts';
import * as ledger from '../specimen/outside.ts';

/** A customer of one scenario: all its data belong to that scenario. */
export interface Customer {
  id: string;
  email: string;
  /** Bearer token for `HttpClient.as`. */
  token: string;
  /** The customer's accounts, with plenty of money. */
  accounts: string[];
}

const PASSWORD = 'a-password-of-the-game-day';
const ACCOUNTS_EACH = 8;
/** The opening balance of each account; no scenario is about an empty one. */
export const OPENING_BALANCE = 10_000_000_000;

/** The actions of the ledger's customers (test/specimen), as requests for a load generator or one by one. */
export class Bank {
  /** Accounts that receive transfers, and others that are only read: the cached copies of these stay valid. */
  readonly busy: string[];
  readonly shown: string[];

  constructor(accountIds: string[]) {
    const half = Math.floor(accountIds.length / 2);
    this.busy = accountIds.slice(0, half);
    this.shown = accountIds.slice(half);
  }

  /** New customers, logged in. */
  async register(baseUrl: string, howMany: number): Promise<Customer[]> {
    const http = httpClient(baseUrl);
    return Promise.all(Array.from({ length: howMany }, () => this.registerOne(http)));
  }

  /** Transfers, spread over the customers, their accounts and the receiving accounts. */
  transferring(customers: Customer[]): RequestTemplate[] {
    return Array.from({ length: this.busy.length * customers.length }, (_, i) => {
      const customer = customers[i % customers.length]!;
      const { from, to } = this.placesOf(customer, Math.floor(i / customers.length));
      return ledger.transferring(customer.token, from, to);
    });
  }

  browsing(): RequestTemplate[] {
    return this.shown.map((id) => ledger.browsing(id));
  }

  /** Reads of one transfer each. @param transfers with their owners */
  reading(transfers: { id: string; customer: Customer }[]): RequestTemplate[] {
    return transfers.map(({ id, customer }) => ledger.reading(customer.token, id));
  }

  /** So many withdrawals, spread over the customers and their accounts. */
  withdrawing(
    customers: Customer[],
    howMany: number,
    methodOf: (index: number) => string = () => 'pm_card_ok',
  ): RequestTemplate[] {
    return Array.from({ length: howMany }, (_, i) => {
      const { token, accounts } = customers[i % customers.length]!;
      const account = accounts[Math.floor(i / customers.length) % accounts.length]!;
      return ledger.withdrawing(token, account, methodOf(i), `withdrawal-${i}`);
    });
  }

  /** Makes so many transfers, one after another for each customer, and expects all of them to succeed. */
  async transfer(
    baseUrl: string,
    customers: Customer[],
    howMany: number,
  ): Promise<{ id: string; customer: Customer }[]> {
    const http = httpClient(baseUrl);
    const made: { id: string; customer: Customer }[] = [];
    const transferFor = async (customer: Customer, count: number): Promise<void> => {
      for (let i = 0; i < count; i += 1) {
        const { from, to } = this.placesOf(customer, i);
        const headers = { 'Idempotency-Key': randomBytes(12).toString('hex') };
        const answer = await http
          .as(customer.token)
          .post<{ id: string }>(ledger.TRANSFERS, ledger.newTransfer(from, to), { headers });
        made.push({ id: expected(201, answer).id, customer });
      }
    };
    const share = Math.ceil(howMany / customers.length);
    await Promise.all(customers.map((customer) => transferFor(customer, share)));
    return made.slice(0, howMany);
  }

  private placesOf({ accounts }: Customer, index: number): { from: string; to: string } {
    return { from: accounts[index % accounts.length]!, to: this.busy[index % this.busy.length]! };
  }

  private async registerOne(http: HttpClient): Promise<Customer> {
    const email = `${randomBytes(8).toString('hex')}@customers.example`;
    const user = { email, password: PASSWORD, name: 'Gina Gameday' };
    const registered = expected(201, await http.post<{ id: string }>(ledger.REGISTER, user));
    const credentials = { email, password: PASSWORD };
    const login = expected(200, await http.post<{ accessToken: string }>(ledger.LOGIN, credentials));
    const token = login.accessToken;
    const accounts: string[] = [];
    for (let i = 0; i < ACCOUNTS_EACH; i += 1) {
      const account = ledger.newAccount(`Account ${i}`, OPENING_BALANCE);
      accounts.push(expected(201, await http.as(token).post<{ id: string }>(ledger.ACCOUNTS, account)).id);
    }
    return { id: registered.id, email, token, accounts };
  }
}

function expected<T>(status: number, answer: HttpResponse<T>): T {
  if (answer.status !== status) throw new Error(`Not ${status}: ${answer.status} ${answer.text}`);
  return answer.body;
}
