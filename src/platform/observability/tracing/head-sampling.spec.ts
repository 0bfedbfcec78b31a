import { defaultTextMapSetter, ROOT_CONTEXT, trace, type Context } from '@opentelemetry/api';
import { describe, expect, it } from 'vitest';
import { HeadSampling } from './head-sampling.js';
import { TraceContextPropagator, Unsampled } from './unsampled.js';

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const SAMPLED = `00-${TRACE}-b7ad6b7169203331-01`;
const LEFT_OUT = `00-${TRACE}-b7ad6b7169203331-00`;

const isRecorded = (context: Context): boolean => Unsampled.in(context) === undefined;

function sentOn(context: Context): Record<string, string> {
  const headers = {};
  new TraceContextPropagator().inject(context, headers, defaultTextMapSetter);
  return headers;
}

describe('the decision whether a trace is recorded', () => {
  it.each([
    { ratio: 0, least: 0, most: 0 },
    // Seven standard deviations on either side.
    { ratio: 0.25, least: 150, most: 350 },
    { ratio: 1, least: 1000, most: 1000 },
  ])('records $ratio of the traces that start here', ({ ratio, least, most }) => {
    const sampling = new HeadSampling(ratio, true);

    const recorded = Array.from({ length: 1000 }, () => sampling.forRequest({})).filter(isRecorded);

    expect(recorded.length).toBeGreaterThanOrEqual(least);
    expect(recorded.length).toBeLessThanOrEqual(most);
  });

  it('is that of the caller, with any ratio', () => {
    const never = new HeadSampling(0, true);
    const always = new HeadSampling(1, true);

    expect(trace.getSpanContext(never.forRequest({ traceparent: SAMPLED }))).toMatchObject({
      traceId: TRACE,
      isRemote: true,
    });
    expect(isRecorded(always.forRequest({ traceparent: LEFT_OUT }))).toBe(false);
  });

  it('is our own when callers are not trusted, or their header is invalid', () => {
    const untrusting = new HeadSampling(1, false);

    expect(isRecorded(untrusting.forRequest({ traceparent: LEFT_OUT }))).toBe(true);
    expect(untrusting.traceId(untrusting.forRequest({ traceparent: SAMPLED }))).toBeUndefined();
    for (const traceparent of ['', 'nonsense', `00-${'0'.repeat(32)}-b7ad6b7169203331-01`]) {
      expect(isRecorded(new HeadSampling(1, true).forRequest({ traceparent }))).toBe(true);
      expect(isRecorded(new HeadSampling(0, true).forRequest({ traceparent }))).toBe(false);
    }
  });

  it('applies to what the request causes later', () => {
    const sampling = new HeadSampling(1, true);

    const handled = sampling.forChild(SAMPLED);

    expect(sampling.traceId(handled)).toBe(TRACE);
    expect(sampling.traceparent(handled)).toBe(SAMPLED);
    expect(isRecorded(sampling.forChild(null))).toBe(false);
    expect(sampling.traceparent(sampling.forChild(null))).toBeUndefined();
  });

  it('is propagated to other services, also when it is negative', () => {
    const sampling = new HeadSampling(0, true);

    expect(sentOn(sampling.forRequest({ traceparent: SAMPLED }))).toEqual({ traceparent: SAMPLED });
    expect(sentOn(sampling.forRequest({ traceparent: LEFT_OUT }))).toEqual({ traceparent: LEFT_OUT });
    const ours = sampling.forRoot();
    expect(sentOn(ours).traceparent).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-00$/);
    expect(sentOn(ours)).toEqual(sentOn(ours));
    expect(sentOn(ROOT_CONTEXT)).toEqual({});
  });

  it("puts a trace id in the log only when the trace is recorded or the caller's", () => {
    const sampling = new HeadSampling(0, true);

    expect(sampling.traceId(sampling.forRequest({ traceparent: LEFT_OUT }))).toBe(TRACE);
    expect(sampling.traceId(sampling.forRoot())).toBeUndefined();
  });
});
