import type { AddressInfo, Socket } from 'node:net';
import { SMTPServer, type SMTPServerOptions } from 'smtp-server';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { loadSettings } from '../../config/index.js';
import { PRODUCT } from '../../product.js';
import { TransientError } from '../../platform/errors/index.js';
import { Dependency, type DependencyPolicy, type Policies } from '../../platform/resilience/index.js';
import { Mailer, type OutgoingMail } from './mailer.js';

const mail: OutgoingMail = {
  id: '019a9f3c-0000-7000-8000-00000000beef',
  recipient: { name: 'Ada "The Countess" <x@y>', email: 'ada@example.com' },
  subject: 'Grüße',
  text: 'text\n',
  html: '<p>html</p>\n',
};

type Command = 'CONNECT' | 'MAIL' | 'RCPT' | 'DATA';

/** A real SMTP server that rejects what a test tells it to. */
class StubbornServer {
  readonly messages: string[] = [];
  readonly recipients: string[] = [];
  connections = 0;
  private readonly refusals = new Map<Command, { responseCode: number; message: string }>();
  private readonly sockets = new Set<Socket>();
  private readonly smtp: SMTPServer;

  constructor() {
    const options: SMTPServerOptions = {
      disabledCommands: ['AUTH', 'STARTTLS'],
      disableReverseLookup: true,
      closeTimeout: 50,
      onConnect: (_, done) => this.answer('CONNECT', done),
      onMailFrom: (_, __, done) => this.answer('MAIL', done),
      onRcptTo: ({ address }, _, done) => {
        this.recipients.push(address);
        this.answer('RCPT', done);
      },
      onData: (stream, _, done) => {
        let message = '';
        stream.on('data', (chunk: Buffer) => (message += chunk.toString('utf8')));
        stream.on('end', () => {
          if (!this.refusals.has('DATA')) this.messages.push(message);
          this.answer('DATA', done);
        });
      },
    };
    this.smtp = new SMTPServer(options);
    this.smtp.on('error', () => undefined);
    this.smtp.server.on('connection', (socket: Socket) => {
      this.connections += 1;
      this.sockets.add(socket);
      socket.once('close', () => this.sockets.delete(socket));
    });
  }

  get url(): string {
    return `smtp://127.0.0.1:${(this.smtp.server.address() as AddressInfo).port}`;
  }

  start(): Promise<void> {
    return new Promise((resolve) => this.smtp.listen(0, '127.0.0.1', resolve));
  }

  stop(): Promise<void> {
    this.dropConnections();
    return new Promise((resolve) => (this.smtp.server.listening ? this.smtp.close(resolve) : resolve()));
  }

  refuse(command: Command, responseCode: number, message: string): void {
    this.refusals.set(command, { responseCode, message });
  }

  dropConnections(): void {
    for (const socket of this.sockets) socket.destroy();
  }

  private answer(command: Command, done: (error?: Error) => void): void {
    const refusal = this.refusals.get(command);
    if (refusal) done(Object.assign(new Error(refusal.message), { responseCode: refusal.responseCode }));
    else done();
  }
}

function mailerFor(url: string): Mailer {
  const settings = loadSettings({ SMTP_URL: url, MAIL_FROM: 'shop@shop.example' }, PRODUCT);
  const define = (name: string, policy: DependencyPolicy) => new Dependency(name, policy);
  return new Mailer(settings, { define } as Policies);
}

describe('The mailer', () => {
  let server: StubbornServer;
  let mailer: Mailer;

  beforeEach(async () => {
    server = new StubbornServer();
    await server.start();
    mailer = mailerFor(server.url);
  });

  afterEach(async () => {
    mailer.onApplicationShutdown();
    await server.stop();
  });

  it('names the mail after the event, on the domain of the sender', async () => {
    await mailer.send(mail);

    expect(server.messages).toHaveLength(1);
    expect(server.messages[0]).toContain('Message-ID: <019a9f3c-0000-7000-8000-00000000beef@shop.example>');
    expect(server.messages[0]).toContain('Auto-Submitted: auto-generated');
    expect(server.recipients).toEqual(['ada@example.com']);
  });

  it('keeps its connection open between mails', async () => {
    await mailer.send(mail);
    await mailer.send(mail);

    expect(server.messages).toHaveLength(2);
    expect(server.connections).toBe(1);
  });

  it('sends over a new connection when the server has closed the kept one', async () => {
    await mailer.send(mail);
    server.dropConnections();
    await mailer.send(mail);

    expect(server.messages).toHaveLength(2);
  });

  it.each<[Command, number, string]>([
    ['RCPT', 550, '5.1.1 No such user'],
    ['RCPT', 550, 'No such user'],
    ['RCPT', 501, '5.1.3 Bad recipient address syntax'],
    ['RCPT', 552, '5.2.2 Mailbox full'],
    ['RCPT', 556, '5.1.10 Recipient address has null MX'],
    ['DATA', 552, '5.3.4 Message too big for system'],
    ['DATA', 554, '5.6.0 Message content rejected'],
  ])(
    'treats a rejection of %s with %i as permanent, and quotes the reply',
    async (command, code, message) => {
      server.refuse(command, code, message);

      await expect(mailer.send(mail)).rejects.toMatchObject({
        name: 'MailRefusedError',
        reply: `${code} ${message}`,
      });
    },
  );

  it.each<[Command, number, string]>([
    ['CONNECT', 421, '4.3.2 Shutting down'],
    ['MAIL', 550, '5.7.1 Sender not allowed'],
    ['RCPT', 450, '4.2.1 Mailbox busy'],
    ['RCPT', 503, '5.5.1 Bad sequence of commands'],
    // RFC 3463 section 3.8: policy and authentication, which concern our configuration.
    ['RCPT', 554, '5.7.1 Relay access denied'],
    ['RCPT', 550, '5.7.60 Client does not have permissions to send as this sender'],
    ['DATA', 550, '5.7.26 Unauthenticated mail is not accepted'],
    ['DATA', 554, '5.7.0 Out of quota for this account'],
    // RFC 4954 section 6, with or without an enhanced code.
    ['RCPT', 530, '5.7.0 Authentication required'],
    ['RCPT', 530, 'Authentication required'],
    ['DATA', 535, 'Authentication credentials invalid'],
    ['RCPT', 538, 'Encryption required for requested authentication mechanism'],
    // RFC 3463 section 3.2: the address of the sender.
    ['RCPT', 550, '5.1.8 Bad sender system address'],
    ['DATA', 553, '5.1.7 Bad sender mailbox address syntax'],
    ['RCPT', 554, '5.3.5 System incorrectly configured'],
    ['RCPT', 521, 'Host does not accept mail'],
    ['RCPT', 502, '5.5.1 Command not implemented'],
    ['RCPT', 554, 'Relay access denied'],
    ['RCPT', 421, '4.7.0 Too many messages, slow down'],
    ['DATA', 451, '4.3.0 Try again'],
  ])('treats a rejection of %s with %i as temporary', async (command, code, message) => {
    server.refuse(command, code, message);

    await expect(mailer.send(mail)).rejects.toThrow(TransientError);
  });

  it('treats an unavailable server as a transient error', async () => {
    const { url } = server;
    await server.stop();
    const other = mailerFor(url);

    await expect(other.send(mail)).rejects.toThrow(TransientError);
    other.onApplicationShutdown();
  });
});
