import { describe, expect, it, vi } from 'vitest';
import { speak } from '../languages/index.js';
import { RequestContext } from './request-context.js';

const NO_TEXTS = { titles: {}, details: {}, texts: {} };

describe('the context of a request', () => {
  it('is available to all asynchronous work of the request', async () => {
    const context = new RequestContext('request-1', 1000);
    await context.run(async () => {
      await Promise.resolve();
      expect(RequestContext.current()).toBe(context);
    });
    expect(RequestContext.current()).toBeUndefined();
  });

  it('never has a negative time left', () => {
    expect(new RequestContext('r', -1).remainingMs).toBe(0);
  });

  it('has the same time left when the clock is set', () => {
    vi.useFakeTimers({ toFake: ['Date', 'performance'] });
    const context = new RequestContext('r', 5000);
    vi.advanceTimersByTime(2000);
    for (const hours of [24, -48]) {
      vi.setSystemTime(Date.now() + hours * 3_600_000);
      expect(context.remainingMs).toBe(3000);
    }
    vi.useRealTimers();
  });

  it('notifies listeners once when the request is cancelled, late ones at once', () => {
    const context = new RequestContext('r', Infinity);
    const [early, gone, late] = [vi.fn(), vi.fn(), vi.fn()];
    context.onAbort(early);
    context.onAbort(gone)();
    context.abort('The client went away.');
    context.abort('again');
    context.onAbort(late);
    expect(early).toHaveBeenCalledTimes(1);
    expect(gone).not.toHaveBeenCalled();
    expect(late).toHaveBeenCalledTimes(1);
    expect(context.abandoned?.message).toBe('The client went away.');
  });

  it.each([
    ['what the client accepts', 'user-1', 'de-AT', 'de'],
    ['undefined where the client accepts anything', 'user-1', '*', undefined],
    ['undefined where it does not say', 'user-1', undefined, undefined],
    ['undefined without a caller: a sender of webhooks decides for nobody', undefined, 'de', undefined],
  ])('has the language of its caller: %s', async (_, userId, acceptLanguage, language) => {
    speak({ en: NO_TEXTS, de: NO_TEXTS });
    const context = new RequestContext('r', Infinity);
    Object.assign(context, { userId, acceptLanguage });
    expect(context.language).toBe(language);
    await context.run(() =>
      RequestContext.shielded(async () => expect(RequestContext.current()?.language).toBe(language)),
    );
  });

  it('does not reach shielded work, except for the id', async () => {
    const context = new RequestContext('request-1', 0);
    context.userId = 'user-1';
    context.abort('gone');
    await context.run(() =>
      RequestContext.shielded(async () => {
        await Promise.resolve();
        expect(RequestContext.current()).toMatchObject({
          requestId: 'request-1',
          userId: 'user-1',
          abandoned: undefined,
        });
        expect(RequestContext.current()?.remainingMs).toBe(Infinity);
      }),
    );
  });
});
