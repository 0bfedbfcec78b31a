import type pg from 'pg';
import type { Environment } from '../local/processes.ts';
import type { RequestTemplate } from '../local/requests.ts';

export interface Caller {
  id: string;
  /** Access token. */
  token: string;
}

/** Rows to fill tables with. */
export interface Size {
  callers: number;
  /** Things that everybody reads. */
  things: number;
  /** Over all callers, in turn. */
  records: number;
}

/** Ids of the rows, each kind in the order of creation. */
export interface Filled {
  callers: string[];
  things: string[];
}

/** A kind of request, and the workload that measures it. */
export interface Kind<Of extends unknown[]> {
  /** Of the workload, for `--only`. */
  name: string;
  title: string;
  request: (...of: Of) => RequestTemplate;
}

/**
 * A product to measure, and everything that the bench knows of it: settings, routes, bodies and rows. A fork writes one
 * such file and lists it in `products/index.ts`. Users and sessions are not in it, every product has those.
 */
export interface Subject {
  /** For `--on`. */
  name: string;
  /** Builds it. Default: the product of this repository. @returns the folder that holds main.js and worker.js */
  build?: () => Promise<string>;
  /** Variables of those of its connections that are not encrypted on this machine. */
  plaintext: string[];
  /** What it needs besides the environment of the stack. */
  settings?: (stack: Environment) => Environment;
  /** A file of `bench/` that serves the same requests by the same statements, and does nothing else. */
  bare?: string;

  fill: (sql: pg.Client, size: Size) => Promise<Filled>;
  /** @param plain without what belongs to a record, to make many of them quickly */
  addRecords: (sql: pg.Client, records: number, plain?: boolean) => Promise<void>;
  /** Where the records are, with the column that names the caller. */
  records: { table: string; owner: string };

  /** One record, by its owner. */
  read: Kind<[id: string, token: string]>;
  /** Records of a caller, 20 a page, newest first. */
  list: Kind<[token: string, cursor?: string]>;
  /** The same of all callers, for admins. */
  listAll?: (token: string, cursor: string) => RequestTemplate;
  /** One row by its owner, through an injected repository in a plain feature. */
  readPlain?: Kind<[id: string, token: string]> & {
    /** A file of `bench/`: bare Nest that does the same. */
    bare: string;
    /** Makes a row of each caller. */
    fill: (sql: pg.Client) => Promise<{ id: string; caller: string }[]>;
  };
  /** One thing, from the cache. */
  readCached: Kind<[id: string]>;
  /** Makes a record; neighbours in the list of requests concern different things. */
  write: Kind<[caller: Caller, index: number, things: readonly string[], parts: number]>;

  mail: {
    /** What a `write` is called in the subject of the mail that follows from it, at the end. */
    nameOf: (recordId: string) => string;
    /** The event that leads to the mail, for a backlog of them. */
    event: { name: string; consumer: string; payload: (callerId: string) => object };
    /** What its consumer writes. */
    table: string;
  };
  /** An export of all records, made in the background: the path to request and poll it, and the body of the request. */
  exports?: { path: string; body: (to?: Date) => object };
}
