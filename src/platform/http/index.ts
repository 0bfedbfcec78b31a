export { acceptsGzip } from './headers/accepts-gzip.js';
export { clientAddress, networkOf } from './headers/client-address.js';
export { Compressed } from './headers/compression.js';
export { isNotModified, strongTags } from './headers/entity-tags.js';
export { preconditionRequired, requireMatch, staleVersion } from './headers/if-match.js';
export {
  AccessToken,
  CurrentCaller,
  OptionalCaller,
  OPTIONAL_CALLER,
  Public,
  PUBLIC,
  RequireRole,
  REQUIRED_ROLE,
  type Caller,
  type Role,
} from './routes/caller.js';
export {
  BooleanField,
  DateTimeField,
  EmailField,
  EnumField,
  IntField,
  IntListField,
  ListField,
  ObjectField,
  StringField,
  StringListField,
  UuidField,
} from './input/fields.js';
export { excessOf } from './input/json-body.js';
export { ApiAnswer, ApiOffsetPage, ApiPage, ApiProblems } from './openapi/openapi.decorators.js';
export { OffsetQuery, type OffsetPage } from './input/offset-pagination.js';
export { decodeCursor, encodeCursor, pageOf, PageQuery, type Page } from './input/pagination.js';
export { Deprecated, type Deprecation } from './routes/deprecated.js';
export { Priority, type RoutePriority } from './routes/priority.js';
export type { ProblemDocument } from './problems/problem.js';
export {
  Problem,
  PROBLEM_DETAILS,
  problemFormat,
  writeProblemsAs,
  writtenProblem,
  type ProblemFormat,
} from './problems/problem-format.js';
export { ProblemFilter } from './problems/problem.filter.js';
export { RouteCache, type RoutePlaces } from './routes/route-cache.js';
export { IntParam, StringParam, UuidParam } from './input/path-parameters.js';
export { ValidationPipe } from './input/validation.pipe.js';

// The parts of the public application.
export { createHttpAdapter } from './adapter.js';
export { InFlight } from './admission/in-flight.js';
export { LoadShedder } from './admission/load-shedder.js';
export { Connections } from './connections/connections.js';
export { HttpModule } from './http.module.js';
export { serveOpenApi } from './openapi/docs-page.js';
export { createOpenApiDocument, serialiseAsDocumented } from './openapi/openapi.js';
export { injectRouteFaults } from './routes/route-faults.js';
export { installAccessLog, installConnectionLog, installShedLog } from './telemetry/access-log.js';
export { HTTP_CONNECTIONS_REFUSED, HTTP_DURATION, HTTP_SHED } from './telemetry/http.metrics.js';
