import { setTimeout as delay } from 'node:timers/promises';
import type { HttpResponse } from '../../local/http.ts';

/** The answer to a client that retries when it is told to: a slow machine may be busy for a moment. */
export async function served<T>(request: () => Promise<HttpResponse<T>>): Promise<HttpResponse<T>> {
  for (;;) {
    const answer = await request();
    if (answer.status !== 503) return answer;
    await delay(Number(answer.headers.get('retry-after')) * 1000);
  }
}
