import { Inject, Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { createTransport } from 'nodemailer';
import { Settings } from '../../config/index.js';
import { ABANDONED } from '../../platform/context/index.js';
import { TransientError } from '../../platform/errors/index.js';
import { traceStep } from '../../platform/observability/index.js';
import { Policies, type Dependency } from '../../platform/resilience/index.js';
import type { MailContent } from './mail-templates.js';

/** Milliseconds: to connect, and until the server greets. */
const CONNECT_TIMEOUT_MS = 3000;

/** The server is up and rejects us, not one mail. */
const REFUSES_US = 'smtp-refuses-us';

/** A mail and its recipient. */
export interface OutgoingMail extends MailContent {
  /** Identifies the mail for ever: the left side of its Message-ID. */
  id: string;
  recipient: { name: string; email: string };
}

/**
 * The mail server rejected this mail permanently (RFC 5321 section 4.2.1: a reply 5yz that is about this mail); sending it again
 * would change nothing.
 */
export class MailRefusedError extends Error {
  constructor(
    /** The server's reply. */
    readonly reply: string,
    cause: unknown,
  ) {
    super(`The mail server rejected the mail: ${reply}`, { cause });
    this.name = 'MailRefusedError';
  }
}

/** Hands mail to the SMTP server of `SMTP_URL`, over connections that are kept open between mails. */
@Injectable()
export class Mailer implements OnApplicationShutdown {
  private readonly from: { name: string; address: string };
  private readonly server: Dependency;
  private readonly transport;

  constructor(@Inject(Settings) { app, notifications, messaging }: Settings, policies: Policies) {
    this.from = { name: app.title, address: notifications.from };
    this.server = policies.define('smtp', {
      timeoutMs: 10_000,
      concurrency: messaging.concurrency,
      breaker: { size: 10, minimumCalls: 5 },
      reopenAfterMs: 2000,
    });
    // A server that rejects us does answer: other mail, which it may accept, need not wait for the circuit.
    this.server.countAsFailure(
      (error) => error instanceof TransientError && error.code !== REFUSES_US && error.code !== ABANDONED,
    );
    this.transport = createTransport({
      url: notifications.url,
      pool: true,
      // One for each concurrent job: no mail waits for another.
      maxConnections: messaging.concurrency,
      maxMessages: Infinity,
      // A kept connection that the server has closed meanwhile is replaced at once; the job retries any other failure.
      maxRequeues: 1,
      connectionTimeout: CONNECT_TIMEOUT_MS,
      greetingTimeout: CONNECT_TIMEOUT_MS,
      dnsTimeout: CONNECT_TIMEOUT_MS,
      disableFileAccess: true,
      disableUrlAccess: true,
    });
  }

  /**
   * Sends a mail; resolves once the server has accepted it. A mail sent twice carries the same Message-ID, by which
   * mail stores drop the second one (RFC 7352).
   * @throws MailRefusedError when the server will never accept it; TransientError when the server is down or busy.
   */
  async send({ id, recipient, ...content }: OutgoingMail): Promise<void> {
    const mail = {
      ...content,
      from: this.from,
      to: { name: recipient.name, address: recipient.email },
      messageId: `<${id}@${this.from.address.slice(this.from.address.lastIndexOf('@') + 1)}>`,
      // RFC 3834: no vacation responder shall answer.
      headers: { 'Auto-Submitted': 'auto-generated' },
    };
    await this.server.execute(async ({ signal }) => {
      try {
        await traceStep('send mail', () => this.transport.sendMail({ ...mail, signal }));
      } catch (error) {
        throw translate(error as SmtpError);
      }
    });
  }

  onApplicationShutdown(): void {
    this.transport.close();
  }
}

interface SmtpError extends Error {
  code?: string;
  responseCode?: number;
  response?: string;
  command?: string;
}

/** Only a rejected recipient or content concerns this one mail; rejected logins and senders are ours to fix. */
const ABOUT_THIS_MAIL = new Set(['RCPT TO', 'DATA']);

/**
 * Whether a final reply is about our configuration, and not about the mail: every other mail would be rejected as well, and lost.
 * These are policy and authentication (RFC 3463 section 3.8: 5.7.x), our own address (5.1.7, 5.1.8), the server as a whole
 * (5.3.x, except for mails that are too big), the protocol (5.5.x); and without such a code 500 to 504, 521 (RFC 7504), 530 to
 * 538 (RFC 4954) and denied relaying.
 */
function isOurs(responseCode: number, response: string): boolean {
  const enhanced = /^\d{3}[ -](5\.\d{1,3}\.\d{1,3})\b/.exec(response)?.[1];
  if (enhanced !== undefined && responseCode !== 530)
    return /^5\.(7\.|1\.[78]$|3\.(?!4$)|5\.)/.test(enhanced);
  return (
    responseCode < 505 ||
    responseCode === 521 ||
    (responseCode >= 530 && responseCode < 540) ||
    /\brelay/i.test(response)
  );
}

function translate(error: SmtpError): Error {
  const { code, responseCode = 0, response, command = '' } = error;
  const refused =
    responseCode >= 500 && ABOUT_THIS_MAIL.has(command) && !isOurs(responseCode, response ?? '');
  // An address that this server's SMTP cannot express, found before anything was sent.
  const inexpressible = code === 'EENVELOPE' && command === 'API';
  if (refused || inexpressible) {
    return new MailRefusedError(response ?? error.message, error);
  }
  return new TransientError({
    /**
     * The mail server cannot be reached, or rejects all mail because of our configuration. Only in logs and
     * dead letters, never an answer.
     */
    code: responseCode >= 500 ? REFUSES_US : 'smtp-unavailable',
    detail: 'The mail server does not accept mail at the moment.',
    cause: error,
  });
}
