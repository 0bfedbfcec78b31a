import { DEFAULT_LANGUAGE, textIn } from '../../platform/languages/index.js';

/** The content of a mail; the recipient is decided elsewhere. */
export interface MailContent {
  subject: string;
  text: string;
  html: string;
}

export interface OrderNews {
  orderId: string;
  /** Minor units. */
  amount: number;
  /** ISO 4217. */
  currency: string;
}

export const MAIL_KINDS = [
  'order.placed',
  'order.cancelled',
  'payment.succeeded',
  'payment.declined',
] as const;

export type MailKind = (typeof MAIL_KINDS)[number];

/**
 * Writes a mail as text and as HTML.
 * @param name the recipient's chosen name: free text of a user
 * @param signature the sender's name
 * @param language the texts are those of `mail.<kind>` in src/languages
 */
export function renderMail(
  kind: MailKind,
  name: string,
  { orderId, ...money }: OrderNews,
  signature: string,
  language = DEFAULT_LANGUAGE,
): MailContent {
  const values = { order: shortened(orderId), orderId, money: formatMoney(money, language) };
  const subject = textIn(language, `mail.${kind}.subject`, values);
  const body = textIn(language, `mail.${kind}.body`, values);
  const lines = [greeting(name, language), ...body.split('\n\n'), signature];
  return {
    subject,
    text: `${lines.join('\n\n')}\n`,
    html:
      `<!doctype html><html lang="${language}"><head><meta charset="utf-8"><title>${escapeHtml(subject)}</title></head><body>` +
      `${lines.map((line) => `<p>${escapeHtml(line)}</p>`).join('')}</body></html>\n`,
  };
}

/** What mail programs turn into a link: schemes, addresses, and words with a dot inside. */
const LINK = /[:/@\\]|\p{L}{2,}\.\p{L}{2,}/u;
/** Invisible characters, except for the joiners that some scripts need inside words. */
const INVISIBLE = /(?![\u200C\u200D])[\p{Cc}\p{Cf}]/gu;

/** Addresses are not verified: a stranger could register another person's address, and make the shop send a link in a name. */
function greeting(name: string, language: string): string {
  const shown = name.replace(/\s+/g, ' ').replace(INVISIBLE, '').trim();
  return shown === '' || LINK.test(shown)
    ? textIn(language, 'mail.greeting')
    : textIn(language, 'mail.greeting.name', { name: shown });
}

/** An amount in the format of a language; the currency defines how many digits are minor units. */
export function formatMoney(
  { amount, currency }: Pick<OrderNews, 'amount' | 'currency'>,
  language = DEFAULT_LANGUAGE,
): string {
  const format = formatOf(language, currency);
  return format.format(amount / 10 ** (format.resolvedOptions().maximumFractionDigits ?? 2));
}

/** Creating one costs a hundred times as much as using it; there are about 180 currencies in each language. */
const formats = new Map<string, Intl.NumberFormat>();

function formatOf(language: string, currency: string): Intl.NumberFormat {
  const key = `${language} ${currency}`;
  let format = formats.get(key);
  if (!format) {
    format = new Intl.NumberFormat(language, { style: 'currency', currency });
    formats.set(key, format);
  }
  return format;
}

/** The end of a UUIDv7: its beginning is the time, the same for all orders of an hour. */
function shortened(id: string): string {
  return id.slice(-8);
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
