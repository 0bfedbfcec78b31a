import { statSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { randomUUID } from 'node:crypto';
import { httpClient } from '../../local/http.ts';
import { waitFor } from '../../local/wait-for.ts';
import { alternate } from '../harness/alternate.ts';
import { percentile, spreadOf } from '../harness/statistics.ts';
import { openShop } from '../stage/open-shop.ts';
import type { Workload } from '../workload.ts';

const ORDERS_PER_SECOND = 50;

export const mailLatency: Workload = {
  name: 'mail-latency',
  title: `Order placed to e-mail handed to SMTP, ${ORDERS_PER_SECOND} orders a second`,
  run: async (bench) => {
    const { stage, api, callers, shop } = await openShop(bench);
    await stage.worker();
    const { sink } = stage.stack;
    const http = httpClient(api.url);
    /** Epoch milliseconds of the answers, by the end of the order's id, which is in the mail's subject. */
    const placed = new Map<string, number>();
    let sent = 0;

    const place = async (): Promise<void> => {
      const index = sent++;
      const answer = await http
        .as(String(callers[index % callers.length]))
        .post<{ id: string }>(
          '/v1/orders',
          { items: [{ productId: shop.products[index % shop.products.length], quantity: 1 }] },
          { headers: { 'idempotency-key': randomUUID() } },
        );
      if (answer.status !== 201) throw new Error(`An order was answered ${answer.status}: ${answer.text}`);
      placed.set(answer.body.id.slice(-8), performance.timeOrigin + performance.now());
    };

    /** Sends on time, whether or not earlier ones have been answered, and waits for the mails. @returns latencies in ms */
    const run = async (): Promise<number[]> => {
      placed.clear();
      await sink.reset();
      const orders = ORDERS_PER_SECOND * bench.seconds;
      const started = performance.now();
      const under: Promise<void>[] = [];
      for (let index = 0; index < orders; index += 1) {
        const wait = started + (index * 1000) / ORDERS_PER_SECOND - performance.now();
        if (wait > 0) await delay(wait);
        under.push(place());
      }
      await Promise.all(under);
      await waitFor(async () => (await sink.counts()).kept >= orders, {
        within: 30_000,
        what: `${orders} mails`,
      });
      const mails = await sink.mails();
      return mails.map(({ subject, file }) => {
        const answered = placed.get(subject.slice(-8));
        if (answered === undefined) throw new Error(`There is no order for the mail "${subject}"`);
        // The sink writes a mail's file when it has received the last byte, before it answers the sender.
        return statSync(file).mtimeMs - answered;
      });
    };

    const [rounds = []] = await alternate(bench, [{ name: 'holdfast', warmUp: run, measure: run }]);
    const all = rounds.flat();
    const p99 = rounds.map((latencies) => percentile(latencies, 0.99));
    return {
      measures: [
        {
          side: 'holdfast',
          unit: 'mails',
          rounds: rounds.map(({ length }) => length),
          p50: rounds.map((latencies) => percentile(latencies, 0.5)),
          p99,
        },
      ],
      checks: [
        {
          what: 'p99 from answer to mail',
          value: percentile(all, 0.99),
          spread: spreadOf(p99),
          unit: 'ms',
          atMost: 150,
        },
      ],
    };
  },
};
