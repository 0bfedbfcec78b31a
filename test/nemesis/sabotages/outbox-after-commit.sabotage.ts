import type { Sabotage } from '../sabotage.ts';

export const what =
  'An event is written to the outbox after the commit of its change, not in the transaction';

export const replacements: Sabotage['replacements'] = [
  {
    file: 'platform/messaging/outbox/outbox.js',
    from: `        await this.database.execute({
            name: 'outbox-announce',`,
    to: `        this.unitOfWork.afterCommit(() => this.database.execute({
            name: 'outbox-announce',`,
  },
  {
    file: 'platform/messaging/outbox/outbox.js',
    from: `                currentTraceparent() ?? null,
            ],
        });
        return id;`,
    to: `                currentTraceparent() ?? null,
            ],
        }));
        return id;`,
  },
];
