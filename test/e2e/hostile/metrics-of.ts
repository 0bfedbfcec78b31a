import { getToken } from '@willsoto/nestjs-prometheus';
import type { Counter, Histogram } from 'prom-client';
import {
  HTTP_CONNECTIONS_REFUSED,
  HTTP_DURATION,
} from '../../../src/platform/http/telemetry/http.metrics.js';
import type { ProductUnderTest } from '../product-under-test.js';

/** How many answers the request metrics have counted, by `method route status`. */
export async function countedAnswers({ api }: ProductUnderTest): Promise<Record<string, number>> {
  const { values } = await api.get<Histogram>(getToken(HTTP_DURATION)).get();
  return Object.fromEntries(
    values
      .filter(({ metricName }) => metricName === `${HTTP_DURATION}_count`)
      .map(({ labels, value }) => [`${labels.method} ${labels.route} ${labels.status}`, value]),
  );
}

/** What was counted since, without what did not change. */
export async function countedSince(
  product: ProductUnderTest,
  before: Record<string, number>,
): Promise<Record<string, number>> {
  const now = await countedAnswers(product);
  return Object.fromEntries(
    Object.entries(now)
      .map(([key, value]): [string, number] => [key, value - (before[key] ?? 0)])
      .filter(([, value]) => value !== 0),
  );
}

/** How many connections were refused, by the limit that was reached. */
export async function refusedConnections({ api }: ProductUnderTest): Promise<Record<string, number>> {
  const { values } = await api.get<Counter>(getToken(HTTP_CONNECTIONS_REFUSED)).get();
  return Object.fromEntries(values.map(({ labels, value }) => [String(labels.reason), value]));
}
