export { clientAddress, networkOf } from './client-address.js';
export { isNotModified, strongTags } from './entity-tags.js';
export {
  CurrentCaller,
  Public,
  PUBLIC,
  RequireRole,
  REQUIRED_ROLE,
  type Caller,
  type Role,
} from './caller.js';
export {
  BooleanField,
  DateTimeField,
  EmailField,
  EnumField,
  IntField,
  ListField,
  ObjectField,
  StringField,
  UuidField,
} from './fields.js';
export { excessOf } from './json-body.js';
export { ApiAnswer, ApiPage, ApiProblems, Problem } from './openapi.decorators.js';
export { decodeCursor, encodeCursor, pageOf, PageQuery, type Page } from './pagination.js';
export { Priority, type RoutePriority } from './priority.js';
export { problemDocument, type ProblemDocument } from './problem.js';
export { RequestContext } from '../context/index.js';
export { UuidPipe } from './uuid.pipe.js';
