import { IsArray, IsBoolean, IsIP, IsInt, IsOptional, Matches, Max, Min } from 'class-validator';
import { Setting } from '../setting.decorator.js';
import { IsOriginList, IsProxyList } from '../validators.js';

export class HttpSettings {
  @Setting('PORT', { default: 3000, describe: 'Public port of the api.' })
  @IsInt()
  @Min(0)
  @Max(65535)
  port!: number;

  @Setting('HOST', { default: '0.0.0.0', describe: 'Address the public port listens on.' })
  @IsIP()
  host!: string;

  @Setting('MANAGEMENT_PORT', {
    default: 3001,
    describe: 'Port of the health checks and metrics; do not expose it to the internet.',
  })
  @IsInt()
  @Min(0)
  @Max(65535)
  managementPort!: number;

  @Setting('MANAGEMENT_HOST', { default: '0.0.0.0', describe: 'Address the management port listens on.' })
  @IsIP()
  managementHost!: string;

  @Setting('HTTP_AUTH_SCHEME', {
    default: 'Bearer',
    describe:
      'Scheme of the access token in `Authorization`. Clients depend on it: change it before there are any.',
  })
  @Matches(/^[A-Za-z][A-Za-z0-9-]*$/)
  authScheme!: string;

  @Setting('PROBLEM_TYPE_BASE', {
    default: 'urn:problem-type:',
    describe:
      'Prefix of the `type` of problem documents, before the code. Publish docs/problems.md and set its URL with a # at the end, so that types are links.',
  })
  @Matches(/^[a-z][a-z0-9+.-]*:\S*$/, {
    message: 'must be an absolute URI, for example https://example.com/problems#',
  })
  problemTypeBase!: string;

  @Setting('HTTP_BODY_LIMIT_BYTES', {
    default: 262_144,
    describe: 'Maximum size of a request body; larger ones are answered 413.',
  })
  @IsInt()
  @Min(1024)
  @Max(104_857_600)
  bodyLimitBytes!: number;

  @Setting('HTTP_REQUEST_TIMEOUT_MS', {
    default: 10_000,
    describe: 'Deadline of a request, and of all queries and outgoing calls made for it.',
  })
  @IsInt()
  @Min(100)
  @Max(300_000)
  requestTimeoutMs!: number;

  @Setting('HTTP_ARRIVAL_TIMEOUT_MS', {
    default: 30_000,
    describe:
      'How long a request may take to arrive completely (its headers: 10 s) before it is answered 408.',
  })
  @IsInt()
  @Min(1000)
  @Max(600_000)
  arrivalTimeoutMs!: number;

  @Setting('HTTP_WRITE_TIMEOUT_MS', {
    default: 30_000,
    describe:
      'How long a client may read nothing of its answer before the connection is closed; at least HTTP_REQUEST_TIMEOUT_MS.',
  })
  @IsInt()
  @Min(1000)
  @Max(600_000)
  writeTimeoutMs!: number;

  @Setting('HTTP_MAX_CONNECTIONS', {
    default: 10_000,
    describe: 'Maximum number of connections to the public port; further ones are closed.',
  })
  @IsInt()
  @Min(1)
  @Max(1_000_000)
  maxConnections!: number;

  @Setting('HTTP_MAX_CONNECTIONS_PER_ADDRESS', {
    default: 1000,
    describe:
      'Maximum number of connections of one address (IPv6: one /64); further ones are closed. Addresses in TRUST_PROXY are exempt, because all clients share them.',
  })
  @IsInt()
  @Min(1)
  @Max(1_000_000)
  maxConnectionsPerAddress!: number;

  @Setting('HTTP_MAX_PIPELINED', {
    default: 32,
    describe:
      'Maximum number of unanswered requests on one connection; the next one is answered 429, and the connection is closed after the answers.',
  })
  @IsInt()
  @Min(1)
  @Max(1000)
  maxPipelined!: number;

  @Setting('TRUST_PROXY', {
    default: [],
    describe:
      'Addresses or CIDR ranges of proxies whose X-Forwarded-For is trusted. Empty: none; the peer address counts.',
  })
  @IsArray()
  @IsProxyList()
  trustProxy!: string[];

  @Setting('CORS_ORIGINS', {
    default: [],
    describe: 'Origins whose pages may call the api (CORS). Empty: none.',
  })
  @IsArray()
  @IsOriginList()
  corsOrigins!: string[];

  @Setting('HTTP_COMPRESSION_ENABLED', {
    default: true,
    describe:
      'Compress answers of routes that are marked for it. Set it to false where a proxy in front compresses.',
  })
  @IsBoolean()
  compressionEnabled!: boolean;

  @Setting('DOCS_ENABLED', {
    describe: 'Serve /docs and /openapi.json. Default: true except in production.',
  })
  @IsOptional()
  @IsBoolean()
  docsEnabled?: boolean;
}
