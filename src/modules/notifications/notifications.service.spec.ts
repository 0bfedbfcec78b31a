import { Logger } from '@nestjs/common';
import { describe, expect, it, vi } from 'vitest';
import { loadSettings } from '../../config/index.js';
import { TransientError } from '../../platform/errors/index.js';
import type { UsersService } from '../users/index.js';
import { MailRefusedError, type Mailer } from './mailer.js';
import type { NotificationStatus } from './notification.entity.js';
import type { NotificationsRepository } from './notifications.repository.js';
import { NotificationsService, type News } from './notifications.service.js';

const news: News = {
  eventId: 'event',
  kind: 'order.placed',
  userId: 'ada',
  order: { orderId: '019a9f3c-0000-7000-8000-00000000beef', amount: 100, currency: 'EUR' },
};

function setup({ status = 'pending' as NotificationStatus, failure = undefined as Error | undefined } = {}) {
  const repository = {
    open: vi.fn(() => Promise.resolve(status)),
    markSent: vi.fn(() => Promise.resolve()),
    markFailed: vi.fn(() => Promise.resolve()),
  };
  const send = vi.fn(() => (failure ? Promise.reject(failure) : Promise.resolve()));
  const users = { contactOf: () => Promise.resolve({ email: 'ada@example.com', name: 'Ada' }) };
  const service = new NotificationsService(
    repository as unknown as NotificationsRepository,
    users as unknown as UsersService,
    { send } as unknown as Mailer,
    loadSettings({}),
  );
  return { service, repository, send };
}

describe('Delivering a notification', () => {
  it('sends the mail under the id of its event, and writes that down only when told to', async () => {
    const { service, repository, send } = setup();
    const bookkeeping = await service.deliver(news);

    expect(send).toHaveBeenCalledExactlyOnceWith(
      expect.objectContaining({ id: 'event', recipient: { email: 'ada@example.com', name: 'Ada' } }),
    );
    expect(repository.markSent).not.toHaveBeenCalled();
    await bookkeeping?.();
    expect(repository.markSent).toHaveBeenCalledExactlyOnceWith('event');
  });

  it.each<NotificationStatus>(['sent', 'failed'])('does nothing when it is %s already', async (status) => {
    const { service, send } = setup({ status });

    expect(await service.deliver(news)).toBeUndefined();
    expect(send).not.toHaveBeenCalled();
  });

  it('has failed when the mail server refuses the mail for good', async () => {
    const warn = vi.spyOn(Logger.prototype, 'warn').mockReturnValue();
    const { service, repository } = setup({ failure: new MailRefusedError('550 No such user', undefined) });
    await (
      await service.deliver(news)
    )?.();

    expect(repository.markFailed).toHaveBeenCalledExactlyOnceWith('event', '550 No such user');
    expect(warn).toHaveBeenCalledOnce();
  });

  it('stays pending, to be tried again, when the mail server is away', async () => {
    const failure = new TransientError({ code: 'smtp-unavailable', detail: '' });
    const { service, repository } = setup({ failure });

    await expect(service.deliver(news)).rejects.toBe(failure);
    expect(repository.markSent).not.toHaveBeenCalled();
    expect(repository.markFailed).not.toHaveBeenCalled();
  });
});
