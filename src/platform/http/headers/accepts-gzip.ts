/** Whether `Accept-Encoding` allows gzip (RFC 9110 section 12.5.3; no when it is absent). */
export function acceptsGzip(header: string | undefined): boolean {
  let wildcard = false;
  for (const coding of (header ?? '').toLowerCase().split(',')) {
    const [name = '', ...parameters] = coding.split(';').map((part) => part.trim());
    const allowed = !parameters.some((parameter) => /^q=0(\.0{0,3})?$/.test(parameter));
    if (name === 'gzip' || name === 'x-gzip') return allowed;
    if (name === '*') wildcard = allowed;
  }
  return wildcard;
}
