import { Inject, Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { createTransport } from 'nodemailer';
import { Settings } from '../../config/index.js';
import { TransientError } from '../../platform/errors/index.js';
import { traceStep } from '../../platform/observability/index.js';
import { Policies, type Dependency } from '../../platform/resilience/index.js';
import type { MailContent } from './mail-templates.js';

/** Milliseconds: to connect, and until the server greets. */
const CONNECT_TIMEOUT_MS = 3000;

/** A mail and whom it is for. */
export interface OutgoingMail extends MailContent {
  /** Identifies the mail for ever: the left side of its Message-ID. */
  id: string;
  recipient: { name: string; email: string };
}

/** The mail server refused this mail for good (RFC 5321 section 4.2.1: a reply 5yz); sending it again would change nothing. */
export class MailRefusedError extends Error {
  constructor(
    /** What the server said. */
    readonly reply: string,
    cause: unknown,
  ) {
    super(`The mail server refused the mail: ${reply}`, { cause });
    this.name = 'MailRefusedError';
  }
}

/** Hands mail to the SMTP server of `SMTP_URL`, over connections that are kept open between mails. */
@Injectable()
export class Mailer implements OnApplicationShutdown {
  private readonly from: string;
  private readonly server: Dependency;
  private readonly transport;

  constructor(@Inject(Settings) { mail, messaging }: Settings, policies: Policies) {
    this.from = mail.from;
    this.server = policies.for('smtp');
    this.transport = createTransport({
      url: mail.url,
      pool: true,
      // As many as there are jobs at once: no mail waits for the one before it.
      maxConnections: messaging.concurrency,
      maxMessages: Infinity,
      // A kept connection that the server has closed meanwhile is replaced at once; all else is the job's to retry.
      maxRequeues: 1,
      connectionTimeout: CONNECT_TIMEOUT_MS,
      greetingTimeout: CONNECT_TIMEOUT_MS,
      dnsTimeout: CONNECT_TIMEOUT_MS,
      disableFileAccess: true,
      disableUrlAccess: true,
    });
  }

  /**
   * Sends a mail; resolves once the server has taken it over. A mail sent twice carries the same Message-ID, by which
   * mail stores drop the second one (RFC 7352).
   * @throws MailRefusedError when the server will never take it; TransientError when the server is away or busy.
   */
  async send({ id, recipient, ...content }: OutgoingMail): Promise<void> {
    const mail = {
      ...content,
      from: { name: 'Holdfast', address: this.from },
      to: { name: recipient.name, address: recipient.email },
      messageId: `<${id}@${this.from.slice(this.from.lastIndexOf('@') + 1)}>`,
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

/** Only a refusal of the recipient or of the content concerns this one mail; refused logins and senders are ours to mend. */
const ABOUT_THIS_MAIL = new Set(['RCPT TO', 'DATA']);

function translate(error: SmtpError): Error {
  const { code, responseCode = 0, response, command = '' } = error;
  // 503 is about the order of commands in a session, not about a mail.
  const refused = responseCode >= 500 && responseCode !== 503 && ABOUT_THIS_MAIL.has(command);
  // An address that this server's SMTP cannot express, found before anything was sent.
  const inexpressible = code === 'EENVELOPE' && command === 'API';
  if (refused || inexpressible) {
    return new MailRefusedError(response ?? error.message, error);
  }
  return new TransientError({
    code: 'smtp-unavailable',
    detail: 'The mail server does not take mail right now.',
    cause: error,
  });
}
