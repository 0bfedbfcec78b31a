import { hash } from 'node:crypto';

/** SHA-256 (base64url, 43 characters) of a request's payload. Equivalent payloads have the same fingerprint. */
export function fingerprintOf(payload: unknown): string {
  return hash('sha256', canonicalJson(payload), 'base64url');
}

/** JSON with its members sorted as in RFC 8785: neither whitespace nor the order of members makes another payload. */
export function canonicalJson(value: unknown): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null';
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  const members = Object.entries(value)
    .filter(([, member]) => member !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, member]) => `${JSON.stringify(name)}:${canonicalJson(member)}`);
  return `{${members.join(',')}}`;
}
