import { describe, expect, it } from 'vitest';
import { LANGUAGES } from '../../languages/index.js';
import { speak } from '../../platform/languages/index.js';
import { formatMoney, renderMail, type MailKind } from './mail-templates.js';

speak(LANGUAGES);

const news = { orderId: '019a9f3c-0000-7000-8000-00000000beef', amount: 4_050, currency: 'EUR' };

describe('A mail', () => {
  it.each<[MailKind, string]>([
    ['order.placed', 'We have received your order 0000beef'],
    ['order.cancelled', 'Your order 0000beef is cancelled'],
    ['payment.succeeded', 'We have received your payment for order 0000beef'],
    ['payment.declined', 'Your payment for order 0000beef was declined'],
  ])('about %s names the order and the amount, in text and in HTML', (kind, subject) => {
    const mail = renderMail(kind, 'Ada', news, 'Acme');

    expect(mail.subject).toBe(subject);
    for (const body of [mail.text, mail.html]) {
      expect(body).toContain('Hello Ada,');
      expect(body).toContain(news.orderId);
      expect(body).toContain('€40.50');
      expect(body).toContain('Acme');
    }
  });

  it('is in the language of its recipient, and so are its amounts', () => {
    const { subject, text, html } = renderMail('order.placed', 'Ada', news, 'Acme', 'de');

    expect(subject).toBe('Wir haben Ihre Bestellung 0000beef erhalten');
    expect(text).toContain('Guten Tag Ada,');
    expect(text.replace('\u00a0', ' ')).toContain('40,50 €');
    expect(html).toContain('<html lang="de">');
  });

  it('shows a name that is HTML as text', () => {
    const { html } = renderMail('order.placed', `<img src=x onerror="alert('&')">`, news, 'Acme');

    expect(html).not.toContain('<img');
    expect(html).toContain('&#60;img src=x onerror=&#34;alert(&#39;&#38;&#39;)&#34;&#62;');
  });

  it.each([
    'Claim your prize at https://evil.example/x',
    'visit www.evil.example',
    'evil.example/win',
    'Call me at eve@evil.example',
    'pay at evil.example now',
    'javascript:alert(1)',
    '  ',
  ])('has no text that mail programs turn into a link, as in the name %j', (name) => {
    const { text, html } = renderMail('order.placed', name, news, 'Acme');

    expect(text).toMatch(/^Hello,\n/);
    expect(`${text}${html}`).not.toMatch(/evil|javascript/);
  });

  it.each([
    'J. R. R. Tolkien',
    "Conan O'Brien",
    'Dr. Ada Ünal-Özdemir',
    '山田 太郎',
    'Ada, Countess of Lovelace',
  ])('greets %s by name', (name) => {
    expect(renderMail('order.placed', name, news, 'Acme').text).toContain(`Hello ${name},`);
  });

  it('removes control characters from a name', () => {
    const name = 'A\u0000d\u001ba\u2028 \u202eB\u200bc';
    expect(renderMail('order.placed', name, news, 'Acme').text).toContain('Hello Ada Bc,');
  });

  it('keeps a name with line breaks on one line', () => {
    expect(renderMail('order.placed', 'Ada\r\n\r\nYou owe us money', news, 'Acme').text).toMatch(
      /^Hello Ada You owe us money,\n/,
    );
  });
});

describe('Money', () => {
  it.each([
    [{ amount: 5, currency: 'EUR' }, '€0.05'],
    [{ amount: 1_234_567, currency: 'USD' }, '$12,345.67'],
    [{ amount: 500, currency: 'JPY' }, '¥500'],
    [{ amount: 1_500, currency: 'KWD' }, 'KWD 1.500'],
  ])('%o has the digits of its currency', (money, text) => {
    expect(formatMoney(money).replace('\u00a0', ' ')).toBe(text);
  });
});
