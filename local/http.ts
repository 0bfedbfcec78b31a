export interface HttpResponse<T = unknown> {
  status: number;
  headers: Headers;
  /** The parsed body when it is JSON of any kind, else `undefined`. */
  body: T;
  text: string;
  durationMs: number;
}

export interface HttpOptions {
  headers?: Record<string, string>;
  /** Sent as JSON; a string or bytes are sent unchanged. */
  body?: unknown;
  timeoutMs?: number;
  signal?: AbortSignal;
}

export interface HttpClient {
  request<T = unknown>(method: string, path: string, options?: HttpOptions): Promise<HttpResponse<T>>;
  get<T = unknown>(path: string, options?: HttpOptions): Promise<HttpResponse<T>>;
  post<T = unknown>(path: string, body?: unknown, options?: HttpOptions): Promise<HttpResponse<T>>;
  put<T = unknown>(path: string, body?: unknown, options?: HttpOptions): Promise<HttpResponse<T>>;
  patch<T = unknown>(path: string, body?: unknown, options?: HttpOptions): Promise<HttpResponse<T>>;
  delete<T = unknown>(path: string, options?: HttpOptions): Promise<HttpResponse<T>>;
  /** The same client with more headers. */
  with(headers: Record<string, string>): HttpClient;
  /** The same client with a bearer token. */
  as(accessToken: string): HttpClient;
}

/** A small HTTP client that never throws for a status and always has a timeout. */
export function httpClient(baseUrl: string, headers: Record<string, string> = {}): HttpClient {
  const request = async <T>(
    method: string,
    path: string,
    options: HttpOptions = {},
  ): Promise<HttpResponse<T>> => {
    const started = performance.now();
    const timeout = AbortSignal.timeout(options.timeoutMs ?? 60_000);
    const { body, type } = encode(options.body);
    const response = await fetch(new URL(path, baseUrl), {
      method,
      headers: { ...(type ? { 'content-type': type } : {}), ...headers, ...options.headers },
      body,
      redirect: 'manual',
      signal: options.signal ? AbortSignal.any([options.signal, timeout]) : timeout,
    });
    const text = await response.text();
    return {
      status: response.status,
      headers: response.headers,
      body: decode(response.headers.get('content-type'), text) as T,
      text,
      durationMs: performance.now() - started,
    };
  };
  return {
    request,
    get: (path, options) => request('GET', path, options),
    post: (path, body, options) => request('POST', path, { ...options, body }),
    put: (path, body, options) => request('PUT', path, { ...options, body }),
    patch: (path, body, options) => request('PATCH', path, { ...options, body }),
    delete: (path, options) => request('DELETE', path, options),
    with: (more) => httpClient(baseUrl, { ...headers, ...more }),
    as: (accessToken) => httpClient(baseUrl, { ...headers, authorization: `Bearer ${accessToken}` }),
  };
}

function encode(body: unknown): { body?: string | Uint8Array<ArrayBuffer>; type?: string } {
  if (body === undefined) return {};
  if (typeof body === 'string' || body instanceof Uint8Array) {
    return { body: body as string | Uint8Array<ArrayBuffer>, type: 'application/json' };
  }
  return { body: JSON.stringify(body), type: 'application/json' };
}

function decode(type: string | null, text: string): unknown {
  if (text === '' || !type || !/^application\/([\w.-]+\+)?json\b/.test(type)) return undefined;
  return JSON.parse(text);
}
