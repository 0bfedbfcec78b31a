import { BusinessRuleError, ClientError } from '../../errors/index.js';
import { strongTags } from './entity-tags.js';

/**
 * Rejects a change of a resource that has changed since its caller read it.
 * @param ifMatch the header
 * @param etag of the current version
 * @throws ClientError 428 `precondition-required`; BusinessRuleError 412 `stale-version`
 */
export function requireMatch(ifMatch: string | undefined, etag: string): void {
  if (ifMatch === undefined) throw preconditionRequired();
  const tags = strongTags(ifMatch);
  if (tags !== '*' && !tags.includes(etag)) throw staleVersion(etag);
}

/** For a change that came without `If-Match`. */
export function preconditionRequired(): ClientError {
  return new ClientError({
    status: 428,
    code: 'precondition-required',
    detail: 'Send the ETag that you have read in If-Match, so that no change of somebody else is lost.',
  });
}

/** For a change of a version that is no longer the current one. @param etag of the current one, when it is known */
export function staleVersion(etag?: string): BusinessRuleError {
  return new BusinessRuleError({
    status: 412,
    code: 'stale-version',
    detail: 'It has changed since you read it. Read it again and retry the change with its new ETag.',
    ...(etag !== undefined && { headers: { ETag: etag } }),
  });
}
