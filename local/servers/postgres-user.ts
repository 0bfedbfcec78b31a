import { execFileSync } from 'node:child_process';
import { existsSync, statSync } from 'node:fs';
import { dirname } from 'node:path';

/**
 * How to run PostgreSQL's programs, which refuse to run as root. Any other user runs them directly; root runs them as an existing
 * unprivileged user, `postgres` or `nobody`: no user is added to the machine.
 */
export interface RunAs {
  uid?: number;
  gid?: number;
  /** The command line that runs `program` this way. */
  command(program: string, args: string[]): { command: string; args: string[]; uid?: number; gid?: number };
}

/** The user that the data belong to; undefined when it is the one that runs this. */
export function ownerOf({ uid, gid = 0 }: RunAs): { uid: number; gid: number } | undefined {
  return uid === undefined ? undefined : { uid, gid };
}

/**
 * @param paths what the unprivileged user has to reach. Where it cannot (such as a checkout below /root), it gets
 *   the one capability that allows it, which needs `setpriv` from util-linux.
 * @param existing a data directory that may already have an owner, which it keeps.
 */
export function postgresUser(paths: string[], existing?: string): RunAs {
  if (process.getuid?.() !== 0) return { command: (command, args) => ({ command, args }) };
  const { uid, gid } = ownerOfPath(existing) ?? userNamed('postgres') ?? userNamed('nobody') ?? noUser();
  const blocked = paths.map((path) => unreachable(path, uid, gid)).find((path) => path !== undefined);
  if (blocked === undefined) {
    return { uid, gid, command: (command, args) => ({ command, args, uid, gid }) };
  }
  const setpriv = ['/usr/bin/setpriv', '/bin/setpriv'].find((path) => existsSync(path));
  if (!setpriv) {
    throw new Error(
      `PostgreSQL cannot run as root, and the user that it would run as cannot enter ${blocked}: ` +
        `run as another user, move the checkout, or chmod a+x ${blocked}`,
    );
  }
  const privileges = ['--reuid', String(uid), '--regid', String(gid), '--clear-groups'];
  // PostgreSQL looks for its own files with access(2), which drops capabilities unless no_setuid_fixup is set.
  const capability = [
    '--inh-caps=+dac_override',
    '--ambient-caps=+dac_override',
    '--securebits=+no_setuid_fixup',
  ];
  return {
    uid,
    gid,
    command: (program, args) => ({
      command: setpriv,
      args: [...privileges, ...capability, '--', program, ...args],
    }),
  };
}

function ownerOfPath(path: string | undefined): { uid: number; gid: number } | undefined {
  if (!path || !existsSync(path)) return undefined;
  const { uid, gid } = statSync(path);
  return uid === 0 ? undefined : { uid, gid };
}

function userNamed(name: string): { uid: number; gid: number } | undefined {
  try {
    const ask = (flag: string): number =>
      Number(execFileSync('id', [flag, name], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }));
    return { uid: ask('-u'), gid: ask('-g') };
  } catch {
    return undefined;
  }
}

function noUser(): never {
  throw new Error('PostgreSQL cannot run as root: run as another user, or add one named "postgres"');
}

/** The first folder on the way to `path` that the user may not enter. */
function unreachable(path: string, uid: number, gid: number): string | undefined {
  const above: string[] = [];
  for (let current = path; ; current = dirname(current)) {
    above.unshift(current);
    if (dirname(current) === current) break;
  }
  return above.find((folder) => {
    if (!existsSync(folder)) return false;
    const stats = statSync(folder);
    const needed = stats.uid === uid ? 0o100 : stats.gid === gid ? 0o010 : 0o001;
    return (stats.mode & needed) === 0;
  });
}
