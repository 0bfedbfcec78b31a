import { existsSync, readFileSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { startHaproxy } from '../../local/servers/haproxy.ts';
import type { HaproxyServer } from '../../local/servers/haproxy.ts';
import type { PostgresServer } from '../../local/servers/postgres.ts';
import { privateDirectory } from '../../local/servers/private-directory.ts';
import { startTestStack } from '../../local/stack.ts';
import type { TestStack } from '../../local/stack.ts';
import type { ApiProcess, AppProcess, Environment, LogRecord } from '../../local/processes.ts';
import { waitFor } from '../../local/wait-for.ts';
import { buildSpecimen } from '../specimen/build.ts';
import { ledgerSettings, openAccounts } from '../specimen/outside.ts';
import { LoadGenerator } from './load/load-generator.ts';
import { Bank, OPENING_BALANCE } from './bank.ts';
import type { ScenarioReport } from './scenario-report.ts';
import type { Setting } from './scenario.ts';
import type { Customer } from './bank.ts';
import { Truth } from './truth.ts';

/** Accounts that receive transfers, or that are only read. */
const ACCOUNTS = 50;

export interface StageOptions {
  /** For every process of the product; wins over the settings of stage and scenarios. */
  env: Environment;
}

/**
 * The platform as it is deployed, small: two api instances and two workers of the built code, with the ledger of test/specimen, on private servers of their
 * own, with a load generator and the means to break things. Shared by the scenarios of a run.
 */
export class Stage implements Setting {
  readonly stack: TestStack;
  readonly load: LoadGenerator;
  readonly truth: Truth;
  readonly bank: Bank;
  readonly apis: ApiProcess[] = [];
  readonly workers: AppProcess[] = [];
  private readonly options: StageOptions;
  private readonly logs: string;
  private proxy: HaproxyServer | undefined;
  private scenarioEnv: Environment = {};
  private readonly kept: { stop(): Promise<unknown> }[] = [];
  /** Unexpected ends of product processes. */
  readonly unexpectedEnds: string[] = [];

  private constructor(parts: { stack: TestStack; bank: Bank; logs: string; options: StageOptions }) {
    this.stack = parts.stack;
    this.bank = parts.bank;
    this.logs = parts.logs;
    this.options = parts.options;
    this.truth = new Truth(parts.stack);
    this.load = new LoadGenerator((error) => {
      throw error;
    });
  }

  static async start(options: StageOptions): Promise<Stage> {
    const logs = await privateDirectory('verify-logs');
    // The product as shipped: settings of the stack for quick tests go back to the defaults.
    const env = { SHUTDOWN_DRAIN_DELAY_MS: undefined, ...options.env };
    const stack = await startTestStack({ env, dist: await buildSpecimen(), settings: ledgerSettings });
    try {
      const bank = new Bank(await openAccounts(new Truth(stack).query, ACCOUNTS, OPENING_BALANCE));
      const stage = new Stage({ stack, bank, logs: logs.path, options });
      await stage.startProduct();
      return stage;
    } catch (error) {
      await stack.stop();
      throw error;
    }
  }

  /** Public ports of the api instances. */
  get ports(): number[] {
    return this.apis.map(({ port }) => port);
  }

  /** New customers, whose transfers, withdrawals and mails are this scenario's alone. */
  customers(howMany: number): Promise<Customer[]> {
    return this.bank.register(this.apis[0]!.url, howMany);
  }

  /** A real HAProxy in front of both instances, which follows their readiness and does not retry a failed request. */
  async behindProxy(): Promise<HaproxyServer> {
    const servers = this.apis.map(
      ({ port, managementPort }, i) => `  server api${i + 1} 127.0.0.1:${port} check port ${managementPort}`,
    );
    this.proxy = await startHaproxy({
      config: (port) =>
        [
          'defaults',
          '  mode http',
          '  timeout connect 2s',
          '  timeout client 30s',
          '  timeout server 30s',
          '  timeout check 1s',
          // A proxy that retries would hide failures.
          '  retries 0',
          'frontend api',
          `  bind 127.0.0.1:${port}`,
          '  default_backend apis',
          'backend apis',
          '  balance roundrobin',
          '  option httpchk GET /health/ready',
          '  http-check expect status 200',
          '  default-server inter 250ms fall 2 rise 1',
          ...servers,
          '',
        ].join('\n'),
    });
    return this.proxy;
  }

  /** Something that a scenario has started, to end with the stage: the next scenario may use it as well. */
  keep(server: { stop(): Promise<unknown> }): void {
    this.kept.push(server);
  }

  /** PostgreSQL is this server from now on. The processes of the product are told by the scenario, or by the next `restore`. */
  usePostgres(server: PostgresServer): void {
    this.stack.postgres = server;
    this.stack.env.DATABASE_URL = server.url();
  }

  /**
   * Restores everything: servers up and healthy, product processes running with the given environment, nothing waiting.
   * @param fresh restart the product, whatever its state
   */
  async restore({ env = {}, fresh = false }: { env?: Environment; fresh?: boolean } = {}): Promise<void> {
    await this.load.stopAll();
    await this.proxy?.stop();
    this.proxy = undefined;
    for (const server of [this.stack.postgres, this.stack.redis, this.stack.sandbox, this.stack.sink]) {
      if (isRunning(server)) server.thaw();
      else await server.restart();
    }
    await this.stack.sandbox.reset();
    await this.stack.sink.reset();
    const sameEnv = JSON.stringify(env) === JSON.stringify(this.scenarioEnv);
    const healthy = [...this.apis, ...this.workers].every((app) => app.isRunning);
    if (fresh || !sameEnv || !healthy) {
      await this.restartProduct(env);
    } else {
      for (const app of [...this.apis, ...this.workers]) app.thaw();
    }
    await this.allReady(30_000);
    // Remaining work of the last scenario does not concern the next one, but may need the processor.
    await this.truth.allHandled(8_000);
    this.unexpectedEnds.length = 0;
    this.forgetLogs();
  }

  async allReady(within: number): Promise<void> {
    await Promise.all(
      [...this.apis, ...this.workers].map((app) =>
        waitFor(
          async () => {
            const ready = await app.management.get<{ status: string }>('/health/ready', { timeoutMs: 2_000 });
            return ready.body.status === 'ok';
          },
          {
            within,
            what: `readiness of ${app.name}`,
          },
        ),
      ),
    );
  }

  /** A process that dies by itself breaks every promise; what it logged explains the other checks. */
  async explain(report: ScenarioReport): Promise<void> {
    if (this.unexpectedEnds.length > 0) {
      report.check('no process of the product exits unexpectedly', false, this.unexpectedEnds.join('; '));
    }
    if (report.held) return;
    for (const { process, time, level, message, requestId, err } of this.warnings().slice(0, 40)) {
      const { message: reason } = (err ?? {}) as { message?: string };
      const request = requestId ? ` (request ${requestId})` : '';
      report.evidence.push({
        at: String(time ?? ''),
        what: `${process} logged ${level}: ${message ?? ''}${reason ? `: ${reason}` : ''}${request}`,
      });
    }
  }

  /** The product's log lines of this scenario at `warn` or above, oldest first. */
  private warnings(): (LogRecord & { process: string })[] {
    return this.logFiles().flatMap(([process, file]) =>
      readFileSync(file, 'utf8')
        .split('\n')
        .filter((line) => line.startsWith('{') && /"level":"(warn|error|fatal)"/.test(line))
        .map((line) => ({ process, ...(JSON.parse(line) as LogRecord) })),
    );
  }

  async stop(): Promise<void> {
    await this.load.close();
    await this.proxy?.stop();
    await this.stack.stop();
    await Promise.all(this.kept.map((server) => server.stop()));
  }

  private async startProduct(): Promise<void> {
    const names = ['api-1', 'api-2', 'worker-1', 'worker-2'];
    const started = await Promise.all(
      names.map((name) => {
        const options = {
          logFile: join(this.logs, `${name}.log`),
          onUnexpectedExit: (reason: string) => this.unexpectedEnds.push(`${name}: ${reason.slice(0, 500)}`),
        };
        return name.startsWith('api') ? this.stack.api({}, options) : this.stack.worker({}, options);
      }),
    );
    this.apis.push(...(started.slice(0, 2) as ApiProcess[]));
    this.workers.push(...started.slice(2));
  }

  private async restartProduct(scenarioEnv: Environment): Promise<void> {
    // A process keeps its environment over a restart: settings of the last scenario have to be removed.
    const former = Object.fromEntries(Object.keys(this.scenarioEnv).map((name) => [name, undefined]));
    const env = { ...former, ...this.stack.env, ...scenarioEnv, ...this.options.env };
    this.scenarioEnv = scenarioEnv;
    await Promise.all(
      [...this.apis, ...this.workers].map(async (app) => {
        await app.kill();
        await app.startAgain(env);
      }),
    );
  }

  private logFiles(): [process: string, file: string][] {
    return ['api-1', 'api-2', 'worker-1', 'worker-2']
      .map((name): [string, string] => [name, join(this.logs, `${name}.log`)])
      .filter(([, file]) => existsSync(file));
  }

  /** Half a gigabyte of access log of a whole run is useless. */
  private forgetLogs(): void {
    for (const [, file] of this.logFiles()) truncateSync(file);
  }
}

function isRunning(server: { readonly pid: number }): boolean {
  try {
    return server.pid > 0;
  } catch {
    return false;
  }
}
