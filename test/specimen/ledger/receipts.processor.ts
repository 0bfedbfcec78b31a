import { Inject, type OnApplicationShutdown } from '@nestjs/common';
import { createTransport } from 'nodemailer';
import { Settings } from '../../../src/config/index.js';
import { UsersService } from '../../../src/modules/users/index.js';
import { Database } from '../../../src/platform/database/index.js';
import { TransientError } from '../../../src/platform/errors/index.js';
import {
  EventConsumer,
  EventProcessor,
  Handles,
  type DeliveredEvent,
} from '../../../src/platform/messaging/index.js';
import { traceStep } from '../../../src/platform/observability/index.js';
import { Policies, type Dependency } from '../../../src/platform/resilience/index.js';
import { transferMade, type TransferEvent } from './transfers.service.js';

/**
 * Mails a receipt for each transfer and writes it down. Nothing in the table keeps it from being written twice: the inbox has to.
 * The mail is outside of the database and goes first; one that is sent again has the same Message-ID.
 */
@EventProcessor('receipts')
export class ReceiptsProcessor extends EventConsumer implements OnApplicationShutdown {
  private readonly server: Dependency;
  private readonly transport;

  constructor(
    private readonly database: Database,
    private readonly users: UsersService,
    @Inject(Settings) { ledger, messaging }: Settings,
    policies: Policies,
  ) {
    super();
    this.server = policies.define('smtp', {
      timeoutMs: 10_000,
      concurrency: messaging.concurrency,
      breaker: { size: 10, minimumCalls: 5 },
      reopenAfterMs: 2000,
    });
    this.transport = createTransport({
      url: ledger.smtpUrl,
      pool: true,
      maxConnections: messaging.concurrency,
      maxMessages: Infinity,
      connectionTimeout: 3000,
      greetingTimeout: 3000,
    });
  }

  @Handles(transferMade)
  async onTransferMade(event: DeliveredEvent<TransferEvent>): Promise<void> {
    if (await this.inbox.seen(event)) return;
    const { transferId, ownerId, amount } = event.payload;
    const { email } = await this.users.contactOf(ownerId);
    await this.send(event.id, email, transferId, `Amount: ${amount}`);
    await this.inbox.once(event, async () => {
      const text = 'INSERT INTO receipts (transfer_id, amount) VALUES ($1, $2)';
      await this.database.execute({ text, values: [transferId, amount] });
    });
  }

  onApplicationShutdown(): void {
    this.transport.close();
  }

  private send(id: string, to: string, transferId: string, text: string): Promise<void> {
    const messageId = `<${id}@ledger.example>`;
    const mail = {
      from: 'ledger@ledger.example',
      to,
      subject: `Your transfer ${transferId}`,
      text,
      messageId,
    };
    return this.server.execute(async ({ signal }) => {
      try {
        await traceStep('send mail', () => this.transport.sendMail({ ...mail, signal }));
      } catch (cause) {
        throw new TransientError({
          code: 'smtp-unavailable',
          detail: 'The mail server does not accept mail.',
          cause,
        });
      }
    });
  }
}
