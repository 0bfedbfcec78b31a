import { chmod, chown, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { RequestContext } from '../../src/platform/context/index.js';
import { makeCertificates, type Certificates } from '../support/certificates.js';
import { openTestDatabase, type DatabaseRoom, type TestDatabase } from '../support/test-database.js';
import { waitFor } from '../../local/wait-for.js';

const SERVER_NAME = 'database.internal';

describe('PostgreSQL over TLS', () => {
  let certificates: Certificates;
  let db: TestDatabase;
  let admin: pg.Client;

  beforeAll(async () => {
    certificates = await makeCertificates(SERVER_NAME);
    db = await openTestDatabase();
    const { dataDir } = db.server;
    const { uid, gid } = await stat(dataDir);
    const folder = dirname(certificates.ca);
    // PostgreSQL reads them as its own user.
    await chmod(folder, 0o755);
    await Promise.all([certificates.ca, certificates.server.cert].map((file) => chmod(file, 0o644)));
    await chmod(certificates.server.key, 0o600);
    await chown(certificates.server.key, uid, gid);
    const rules = join(folder, 'pg_hba.conf');
    await writeFile(
      rules,
      [
        'host all postgres 127.0.0.1/32 scram-sha-256',
        'hostssl all all 127.0.0.1/32 scram-sha-256 clientcert=verify-ca',
      ].join('\n'),
    );
    admin = new pg.Client(db.server.adminUrl('holdfast'));
    await admin.connect();
    for (const [name, value] of Object.entries({
      ssl_ca_file: certificates.ca,
      ssl_cert_file: certificates.server.cert,
      ssl_key_file: certificates.server.key,
      hba_file: rules,
    })) {
      await admin.query(`ALTER SYSTEM SET ${name} = '${value}'`);
    }
    await admin.query('ALTER SYSTEM SET ssl = on');
    await admin.end();
    await db.server.restart();
    admin = new pg.Client(db.server.adminUrl('holdfast'));
    await admin.connect();
  });
  afterAll(async () => {
    await admin?.end();
    await db?.close();
    await certificates?.remove();
  });

  const open = (env: Record<string, string>): Promise<DatabaseRoom> =>
    db.anotherRoom({ DATABASE_URL: `${db.server.url()}?sslmode=verify-full`, ...env });
  const right = () => ({
    DATABASE_TLS_CA: certificates.ca,
    DATABASE_TLS_CERT: certificates.client.cert,
    DATABASE_TLS_KEY: certificates.client.key,
    DATABASE_TLS_SERVER_NAME: SERVER_NAME,
  });

  it('is used with a client certificate, and a name that is not that of the address', async () => {
    const { database, unitOfWork } = await open(right());
    const rows = await unitOfWork.run(() =>
      database.query({
        text: 'SELECT ssl, client_dn FROM pg_stat_ssl WHERE pid = pg_backend_pid()',
      }),
    );
    expect(rows).toEqual([{ ssl: true, client_dn: '/CN=client' }]);
  });

  it.each([
    ['another authority', () => ({ ...right(), DATABASE_TLS_CA: certificates.otherCa }), /certificate/],
    ['another name', () => ({ ...right(), DATABASE_TLS_SERVER_NAME: 'elsewhere.internal' }), /altnames/],
    [
      'the name of the address, which it is not for',
      () => ({
        DATABASE_TLS_CA: certificates.ca,
        DATABASE_TLS_CERT: certificates.client.cert,
        DATABASE_TLS_KEY: certificates.client.key,
      }),
      /altnames/,
    ],
    [
      'no client certificate',
      () => ({ DATABASE_TLS_CA: certificates.ca, DATABASE_TLS_SERVER_NAME: SERVER_NAME }),
      /client certificate|certificate required|handshake/,
    ],
  ])('is refused with %s', async (_what, env, reason) => {
    await expect(open(env())).rejects.toThrow(reason);
  });

  it('is not downgraded to plain text', async () => {
    await expect(open({ DATABASE_URL: db.server.url() })).rejects.toThrow(/no encryption/);
    await expect(open({ ...right(), DATABASE_URL: db.server.url() })).rejects.toThrow(/sslmode=verify-full/);
  });

  it('carries cancellations too', async () => {
    const { database } = await open(right());
    const running = async () =>
      (
        await admin.query(
          `SELECT FROM pg_stat_activity WHERE query LIKE '%cancel by TLS%' AND state = 'active' AND pid <> pg_backend_pid()`,
        )
      ).rowCount;
    const context = new RequestContext('request-1', 60_000);
    const sleeping = context.run(() =>
      database.query({ text: "SELECT pg_sleep(15), 'cancel by TLS' AS mark" }),
    );
    sleeping.catch(() => undefined);
    await waitFor(async () => (await running()) === 1, { what: 'the query' });
    context.abort('The client went away.');
    await waitFor(async () => (await running()) === 0, { within: 10_000, what: 'its end' });
  });
});
