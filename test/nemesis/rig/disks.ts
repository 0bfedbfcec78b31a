import { postgresBinaries } from '../../../local/servers/postgres-data.ts';
import { ownerOf, postgresUser } from '../../../local/servers/postgres-user.ts';
import type { PostgresServer } from '../../../local/servers/postgres.ts';
import { noSmallDisks, smallDisk, type SmallDisk } from '../../../local/servers/small-disk.ts';

/** Far more than a schedule writes, with the WAL that PostgreSQL may keep. */
const MEGABYTES = 512;
export const POSTGRES_ON_SMALL_DISK = {
  max_wal_size: '96MB',
  min_wal_size: '32MB',
  // A standby whose primary dies and comes back may still need what that would remove: it would be lost, and no commit end.
  wal_keep_size: '160MB',
};

/** Where the servers of PostgreSQL keep their data: each on a disk that can run full, if this machine allows it. */
export class Disks {
  private readonly disks: SmallDisk[] = [];

  /** For the data of one more server; undefined for the default. */
  async next(): Promise<SmallDisk | undefined> {
    if (noSmallDisks()) return undefined;
    const user = postgresUser([(await postgresBinaries()).postgres, '/']);
    const disk = await smallDisk('postgres-disk', { megabytes: MEGABYTES, owner: ownerOf(user) });
    this.disks.push(disk);
    return disk;
  }

  of({ dataDir }: PostgresServer): SmallDisk | undefined {
    return this.disks.find(({ path }) => dataDir.startsWith(`${path}/`));
  }
}
