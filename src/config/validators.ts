import { accessSync, constants } from 'node:fs';
import { isIP } from 'node:net';
import { isBase64, ValidateBy, type ValidationOptions } from 'class-validator';

/** Accepts an absolute URL with one of the protocols (`postgres:`, ...) and a host; the message never repeats the value. */
export function IsConnectionUrl(protocols: string[], options?: ValidationOptions): PropertyDecorator {
  return ValidateBy(
    {
      name: 'isConnectionUrl',
      constraints: [protocols],
      validator: {
        validate: (value: unknown) => {
          if (typeof value !== 'string' || !URL.canParse(value)) return false;
          const url = new URL(value);
          return protocols.includes(url.protocol) && url.hostname !== '';
        },
        defaultMessage: () => `must be a URL with ${protocols.map((p) => `${p}//`).join(' or ')} and a host`,
      },
    },
    options,
  );
}

/** Accepts any secret of at least so many characters; after `whsec_` (Standard Webhooks) base64 of at least so many bytes. */
export function IsSigningSecret(least: number, options?: ValidationOptions): PropertyDecorator {
  return ValidateBy(
    {
      name: 'isSigningSecret',
      constraints: [least],
      validator: {
        validate: (value: unknown) => {
          if (typeof value !== 'string' || !value.startsWith('whsec_'))
            return typeof value === 'string' && value.length >= least;
          const encoded = value.slice('whsec_'.length);
          return isBase64(encoded) && Buffer.from(encoded, 'base64').length >= least;
        },
        defaultMessage: () =>
          `must have at least ${least} characters, or be whsec_ and base64 of at least ${least} bytes`,
      },
    },
    options,
  );
}

/** Accepts a list of IP addresses and CIDR ranges. */
export function IsProxyList(options?: ValidationOptions): PropertyDecorator {
  return ValidateBy(
    {
      name: 'isProxyList',
      validator: {
        validate: (value: unknown) =>
          Array.isArray(value) &&
          value.every((entry: unknown) => {
            const [address = '', bits, ...rest] = String(entry).split('/');
            const family = isIP(address);
            if (family === 0 || rest.length > 0) return false;
            return (
              bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= (family === 4 ? 32 : 128))
            );
          }),
        defaultMessage: () => 'must list IP addresses or CIDR ranges, for example 10.0.0.0/8',
      },
    },
    options,
  );
}

/** Accepts a list of origins (RFC 6454) as browsers send them: scheme, host, port, and nothing after. */
export function IsOriginList(options?: ValidationOptions): PropertyDecorator {
  return ValidateBy(
    {
      name: 'isOriginList',
      validator: {
        validate: (value: unknown) =>
          Array.isArray(value) &&
          value.every(
            (entry: unknown) => URL.canParse(String(entry)) && new URL(String(entry)).origin === entry,
          ),
        defaultMessage: () => 'must list origins, for example https://app.example',
      },
    },
    options,
  );
}

/** Accepts `host:port`. */
export function IsHostAndPort(options?: ValidationOptions): PropertyDecorator {
  return ValidateBy(
    {
      name: 'isHostAndPort',
      validator: {
        validate: (value: unknown) => {
          const [, host = '', port = ''] =
            /^([^:/@?#\s]+|\[[0-9a-f:.]+\]):(\d{1,5})$/i.exec(String(value)) ?? [];
          return host !== '' && Number(port) > 0 && Number(port) < 65_536;
        },
        defaultMessage: () => 'must be a host and a port, for example redis-1:26379',
      },
    },
    options,
  );
}

/** Accepts the name of a file that this process can read. */
export function IsReadableFile(options?: ValidationOptions): PropertyDecorator {
  return ValidateBy(
    {
      name: 'isReadableFile',
      validator: {
        validate: (value: unknown) => {
          try {
            accessSync(String(value), constants.R_OK);
            return true;
          } catch {
            return false;
          }
        },
        defaultMessage: () => 'must be a file that this process can read',
      },
    },
    options,
  );
}
