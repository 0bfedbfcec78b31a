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

type Template = (news: OrderNews) => { subject: string; paragraphs: string[] };

const TEMPLATES = {
  'order.placed': ({ orderId, ...money }) => ({
    subject: `We have received your order ${shortened(orderId)}`,
    paragraphs: [
      `Thank you for your order ${orderId} of ${formatMoney(money)}.`,
      'The goods are reserved for you until it is paid.',
    ],
  }),
  'order.cancelled': ({ orderId, ...money }) => ({
    subject: `Your order ${shortened(orderId)} is cancelled`,
    paragraphs: [
      `Your order ${orderId} of ${formatMoney(money)} is cancelled. Nothing more will be charged for it.`,
    ],
  }),
  'payment.succeeded': ({ orderId, ...money }) => ({
    subject: `We have received your payment for order ${shortened(orderId)}`,
    paragraphs: [`We have received ${formatMoney(money)} for your order ${orderId}.`],
  }),
  'payment.declined': ({ orderId, ...money }) => ({
    subject: `Your payment for order ${shortened(orderId)} was declined`,
    paragraphs: [
      `The payment of ${formatMoney(money)} for your order ${orderId} was declined. Nothing was charged.`,
      'Your order is still open: you can pay for it with another payment method.',
    ],
  }),
} satisfies Record<string, Template>;

export type MailKind = keyof typeof TEMPLATES;

/**
 * Writes a mail as text and as HTML.
 * @param name the recipient's chosen name: free text of a user
 * @param signature the sender's name
 */
export function renderMail(kind: MailKind, name: string, news: OrderNews, signature: string): MailContent {
  const { subject, paragraphs } = TEMPLATES[kind](news);
  const lines = [greeting(name), ...paragraphs, signature];
  return {
    subject,
    text: `${lines.join('\n\n')}\n`,
    html:
      `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>${escapeHtml(subject)}</title></head><body>` +
      `${lines.map((line) => `<p>${escapeHtml(line)}</p>`).join('')}</body></html>\n`,
  };
}

/** What mail programs turn into a link: schemes, addresses, and words with a dot inside. */
const LINK = /[:/@\\]|\p{L}{2,}\.\p{L}{2,}/u;
/** Invisible characters, except for the joiners that some scripts need inside words. */
const INVISIBLE = /(?![\u200C\u200D])[\p{Cc}\p{Cf}]/gu;

/** Addresses are not verified: a stranger could register another person's address, and make the shop send a link in a name. */
function greeting(name: string): string {
  const shown = name.replace(/\s+/g, ' ').replace(INVISIBLE, '').trim();
  return shown === '' || LINK.test(shown) ? 'Hello,' : `Hello ${shown},`;
}

/** An amount in the format of the shop's language; the currency defines how many digits are minor units. */
export function formatMoney({ amount, currency }: Pick<OrderNews, 'amount' | 'currency'>): string {
  const format = formatOf(currency);
  return format.format(amount / 10 ** (format.resolvedOptions().maximumFractionDigits ?? 2));
}

/** Creating one costs a hundred times as much as using it; there are about 180 currencies. */
const formats = new Map<string, Intl.NumberFormat>();

function formatOf(currency: string): Intl.NumberFormat {
  let format = formats.get(currency);
  if (!format) {
    format = new Intl.NumberFormat('en', { style: 'currency', currency });
    formats.set(currency, format);
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
