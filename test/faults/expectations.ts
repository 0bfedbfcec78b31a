import { expect } from 'vitest';
import type { HttpResponse } from '../../local/http.ts';

/** What "briefly unable" looks like from outside: 503, a problem document, and when to come back, within the bound that is promised. */
export function expectUnavailable(answer: HttpResponse, withinMs = 20_000): void {
  expect(answer.status).toBe(503);
  expect(answer.headers.get('content-type')).toContain('application/problem+json');
  expect(Number(answer.headers.get('retry-after'))).toBeGreaterThanOrEqual(1);
  expect(answer.body).toMatchObject({ status: 503, code: expect.any(String), requestId: expect.any(String) });
  expect(answer.durationMs).toBeLessThan(withinMs);
}
