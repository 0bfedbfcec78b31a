import { makeCounterProvider, makeHistogramProvider } from '@willsoto/nestjs-prometheus';

export const HTTP_DURATION = 'http_request_duration_seconds';
export const HTTP_CONNECTIONS_REFUSED = 'http_connections_refused_total';
export const HTTP_SHED = 'http_requests_shed_total';

/** Metrics of the public port; the management application serves them. */
export const httpMetrics = [
  makeHistogramProvider({
    name: HTTP_DURATION,
    help: 'Duration of HTTP requests by method, route pattern and status; 499: the client disconnected before the answer.',
    labelNames: ['method', 'route', 'status'],
    buckets: [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5],
  }),
  makeCounterProvider({
    name: HTTP_SHED,
    help: 'Requests rejected before routing because too many were in flight, by priority.',
    labelNames: ['priority'],
  }),
  makeCounterProvider({
    name: HTTP_CONNECTIONS_REFUSED,
    help: 'Connections closed on arrival, by the limit that was reached: that of their address or that of the server.',
    labelNames: ['reason'],
  }),
];
