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
    /** The change has no `If-Match` header. Read the resource and send its ETag. */
    code: 'precondition-required',
    detail: 'Send the ETag of the resource in If-Match, so that no concurrent change is lost.',
  });
}

/** For a change of a version that is no longer the current one. @param etag of the current one, when it is known */
export function staleVersion(etag?: string): BusinessRuleError {
  return new BusinessRuleError({
    status: 412,
    /** The resource has changed since it was read. Read it again, and repeat the change with the new ETag. */
    code: 'stale-version',
    detail: 'The resource has changed. Read it again and repeat the change with its new ETag.',
    ...(etag !== undefined && { headers: { ETag: etag } }),
  });
}
