import { Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { atStart } from './at-start.js';

/** Refuses to start on a schema that lacks migrations: better no process than one that fails at the first query. */
@Injectable()
export class SchemaCheck implements OnApplicationBootstrap {
  constructor(private readonly dataSource: DataSource) {}

  async onApplicationBootstrap(): Promise<void> {
    if (await atStart(() => this.dataSource.showMigrations())) {
      throw new Error(
        'The database schema is not up to date. Run `node dist/cli.js migrate` (locally: npm start does it)',
      );
    }
  }
}
