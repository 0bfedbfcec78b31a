import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { waitFor } from '../wait-for.ts';
import { freePort, isPortFree, reservePort } from './ports.ts';
import { startPostgres } from './postgres.ts';
import type { PostgresServer } from './postgres.ts';
import { isAlive } from './process-tree.ts';
import { sendRedisCommand as ask, startRedis } from './redis.ts';
import type { RedisServer } from './redis.ts';

/** What Linux says of the segments of shared memory. */
const SHARED_MEMORY = '/proc/sysvipc/shm';

describe('a private PostgreSQL', () => {
  let server: PostgresServer;
  beforeAll(async () => {
    server = await startPostgres();
  });
  afterAll(() => server.stop());

  it('is version 18 and has an application role that is not a superuser', async () => {
    const [row] = await query(
      server.url(),
      "SELECT current_setting('server_version_num')::int / 10000 AS major, current_setting('is_superuser') AS super",
    );
    expect(row).toEqual({ major: 18, super: 'off' });
  });

  it('accepts connections but does not answer while it is frozen', async () => {
    const client = new pg.Client(server.url());
    await client.connect();
    server.freeze();
    const answer = client.query('SELECT 1');
    const first = await Promise.race([answer.then(() => 'answered'), settle(300).then(() => 'silent')]);
    server.thaw();
    expect(first).toBe('silent');
    expect((await answer).rowCount).toBe(1);
    await client.end();
  });

  it('keeps committed data when it is killed, on the same port', async () => {
    await query(server.url(), 'CREATE TABLE kept AS SELECT 1 AS one');
    const { port, pid } = server;
    await server.kill();
    await expect(query(server.url(), 'SELECT 1')).rejects.toThrow(/ECONNREFUSED/);
    await server.restart();
    expect(server.port).toBe(port);
    expect(server.pid).not.toBe(pid);
    expect(await query(server.url(), 'SELECT one FROM kept')).toEqual([{ one: 1 }]);
  });

  it('leaves neither process nor data behind', async () => {
    const another = await startPostgres();
    const { pid, dataDir } = another;
    await another.stop();
    expect(isAlive(pid)).toBe(false);
    expect(existsSync(dataDir)).toBe(false);
  });

  it.runIf(existsSync(SHARED_MEMORY) && hasIpcrm()).each(['stopped', 'killed and stopped'])(
    'leaves no shared memory behind when it is %s',
    async (how) => {
      const another = await startPostgres();
      const segment = await sharedMemoryOf(another);
      expect(sharedMemory()).toContain(segment);
      if (how.startsWith('killed')) await another.kill();
      await another.stop();
      // The last of its processes that ends frees it.
      await waitFor(() => !sharedMemory().includes(segment), { what: 'the end of the segment' });
    },
  );
});

describe('a private Redis', () => {
  let server: RedisServer;
  beforeAll(async () => {
    server = await startRedis();
  });
  afterAll(() => server.stop());

  it('never evicts', async () => {
    expect(await ask(server.port, 'CONFIG GET maxmemory-policy')).toContain('noeviction');
  });

  it('does not answer while it is frozen', async () => {
    server.freeze();
    await expect(ask(server.port, 'PING', 300)).rejects.toThrow('does not answer');
    server.thaw();
    expect(await ask(server.port, 'PING')).toContain('PONG');
  });

  it('comes back empty', async () => {
    await ask(server.port, 'SET name value');
    await server.restart();
    expect(await ask(server.port, 'DBSIZE')).toBe(':0\r\n');
  });
});

describe('everything that a process starts', () => {
  it('stops and is removed when that process is killed', async () => {
    const module = join(import.meta.dirname, 'redis.ts');
    const program = `
      const { startRedis } = await import(${JSON.stringify(module)});
      const server = await startRedis();
      server.freeze(); // Not even a frozen server may be left over.
      console.log(JSON.stringify({ pid: server.pid, directory: server.dataDir }));
    `;
    const parent = spawn(process.execPath, ['--input-type=module', '--eval', program]);
    const [said] = (await new Promise<unknown[]>((resolve) => {
      parent.stdout.once('data', (...data) => resolve(data));
    })) as [Buffer];
    const { pid, directory } = JSON.parse(String(said)) as { pid: number; directory: string };
    expect([isAlive(pid), existsSync(directory)]).toEqual([true, true]);
    parent.kill('SIGKILL');
    await waitFor(() => !isAlive(pid) && !existsSync(directory), { what: 'the end of the orphan' });
  });
});

describe('freePort', () => {
  it('stays below the ports of outgoing connections, so that a killed server finds its port again', async () => {
    const ports = await Promise.all(Array.from({ length: 20 }, () => freePort()));
    expect(new Set(ports).size).toBe(20);
    expect(Math.max(...ports)).toBeLessThan(32_768);
    expect(await isPortFree(ports[0] ?? 0)).toBe(true);
  });

  it('gives a port to no other process while the one that has it lives', async () => {
    const program = `
      const { freePort } = await import(${JSON.stringify(join(import.meta.dirname, 'ports.ts'))});
      console.log(await freePort());
      setInterval(() => {}, 1000);
    `;
    const holder = spawn(process.execPath, ['--input-type=module', '--eval', program]);
    const [said] = (await once(holder.stdout, 'data')) as [Buffer];
    expect(await reservePort(Number(String(said)))).toBe(false);
    holder.kill('SIGKILL');
    await waitFor(() => reservePort(Number(String(said))), { what: 'the port of a killed holder' });
  });
});

/** The id of the System V segment that the server names in its lock file. */
async function sharedMemoryOf({ dataDir }: PostgresServer): Promise<string> {
  const [, id] =
    (await readFile(`${dataDir}/postmaster.pid`, 'utf8')).split('\n')[6]?.trim().split(/\s+/) ?? [];
  return id ?? 'none';
}

/** The ids of all segments of this machine. */
function sharedMemory(): string[] {
  return readFileSync(SHARED_MEMORY, 'utf8')
    .split('\n')
    .map((row) => row.trim().split(/\s+/)[1] ?? '');
}

/** Part of every Linux but the smallest images; only tests need it, for servers that they kill. */
function hasIpcrm(): boolean {
  return spawnSync('ipcrm', ['--version']).error === undefined;
}

async function query(url: string, text: string): Promise<unknown[]> {
  const client = new pg.Client(url);
  await client.connect();
  try {
    return (await client.query(text)).rows;
  } finally {
    await client.end();
  }
}

function settle(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}
