import { statSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { httpClient } from '../../local/http.ts';
import { waitFor } from '../../local/wait-for.ts';
import { alternate } from '../harness/alternate.ts';
import { headersOf } from '../harness/requests.ts';
import { percentile, spreadOf } from '../harness/statistics.ts';
import { openFilled } from '../testbed/open-filled.ts';
import type { Subject } from '../subject.ts';
import type { Workload } from '../workload.ts';

const WRITES_PER_SECOND = 50;

export const mailLatency = (subject: Subject): Workload => ({
  name: 'mail-latency',
  title: `From the answer to a write to its e-mail at the SMTP server, ${WRITES_PER_SECOND} writes per second`,
  run: async (bench) => {
    const { testbed, api, callers, things } = await openFilled(bench, subject);
    await testbed.worker();
    const { sink } = testbed.stack;
    const http = httpClient(api.url);
    /** Epoch milliseconds of the answers, by the name that the mail has for what was made. */
    const placed = new Map<string, number>();
    let sent = 0;

    const place = async (): Promise<void> => {
      const index = sent++;
      const request = subject.write.request(callers[index % callers.length]!, index, things, 1);
      const { method, path, body } = request;
      const answer = await http.request<{ id: string }>(method, path, { body, headers: headersOf(request) });
      if (answer.status !== 201) throw new Error(`A write was answered ${answer.status}: ${answer.text}`);
      placed.set(subject.mail.nameOf(answer.body.id), performance.timeOrigin + performance.now());
    };

    /** Sends on time, whether or not earlier ones have been answered, and waits for the mails. @returns latencies in ms */
    const run = async (): Promise<number[]> => {
      placed.clear();
      await sink.reset();
      const writes = WRITES_PER_SECOND * bench.seconds;
      const started = performance.now();
      const under: Promise<void>[] = [];
      for (let index = 0; index < writes; index += 1) {
        const wait = started + (index * 1000) / WRITES_PER_SECOND - performance.now();
        if (wait > 0) await delay(wait);
        under.push(place());
      }
      await Promise.all(under);
      await waitFor(async () => (await sink.counts()).kept >= writes, {
        within: 30_000,
        what: `${writes} mails`,
      });
      const mails = await sink.mails();
      return mails.map(({ subject: heading, file }) => {
        const answered = placed.get(heading.slice(heading.lastIndexOf(' ') + 1));
        if (answered === undefined) throw new Error(`No write belongs to the mail "${heading}"`);
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
});
