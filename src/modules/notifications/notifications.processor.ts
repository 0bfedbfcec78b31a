import { UnitOfWork } from '../../platform/database/index.js';
import {
  EventConsumer,
  EventProcessor,
  Handles,
  type DeliveredEvent,
} from '../../platform/messaging/index.js';
import { orderCancelled, orderPlaced } from '../orders/index.js';
import { paymentDeclined, paymentSucceeded } from '../payments/index.js';
import type { MailKind, OrderNews } from './mail-templates.js';
import { NotificationsService } from './notifications.service.js';

type OrderEvent = DeliveredEvent<OrderNews & { userId: string; language?: string | undefined }>;

/** Turns what happens to orders and payments into mail. */
@EventProcessor('notifications')
export class NotificationsProcessor extends EventConsumer {
  constructor(
    private readonly notifications: NotificationsService,
    private readonly unitOfWork: UnitOfWork,
  ) {
    super();
  }

  @Handles(orderPlaced)
  onOrderPlaced(event: OrderEvent): Promise<void> {
    return this.notify('order.placed', event);
  }

  @Handles(orderCancelled)
  onOrderCancelled(event: OrderEvent): Promise<void> {
    return this.notify('order.cancelled', event);
  }

  @Handles(paymentSucceeded)
  onPaymentSucceeded(event: OrderEvent): Promise<void> {
    return this.notify('payment.succeeded', event);
  }

  @Handles(paymentDeclined)
  onPaymentDeclined(event: OrderEvent): Promise<void> {
    return this.notify('payment.declined', event);
  }

  /**
   * Mail first, record after it: after a crash in between the mail is sent again under the same Message-ID, while the other order
   * would lose it.
   */
  private async notify(kind: MailKind, event: OrderEvent): Promise<void> {
    const { userId, language, ...order } = event.payload;
    const bookkeeping = await this.notifications.deliver({
      eventId: event.id,
      kind,
      userId,
      language,
      order,
    });
    if (!bookkeeping) return;
    await this.unitOfWork.run(async () => {
      await this.inbox.record(event);
      await bookkeeping();
    });
  }
}
