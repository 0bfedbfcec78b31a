import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { privateDirectory } from '../../local/servers/private-directory.ts';

const run = promisify(execFile);

/** Names of PEM files. */
export interface Certificates {
  ca: string;
  /** Issued by another authority than everything else here. */
  otherCa: string;
  server: { cert: string; key: string };
  client: { cert: string; key: string };
  remove(): Promise<void>;
}

/** Makes an authority and what it issues: a certificate of a server of that DNS name (and of no address), and one of a client. */
export async function makeCertificates(serverName: string): Promise<Certificates> {
  const directory = await privateDirectory('certificates');
  const file = (name: string): string => join(directory.path, name);
  const make = async (name: string, ...options: string[]): Promise<{ cert: string; key: string }> => {
    const pair = { cert: file(`${name}.crt`), key: file(`${name}.key`) };
    const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-keyout', pair.key];
    await run('openssl', ['req', '-x509', ...key, '-out', pair.cert, '-days', '2', ...options]);
    return pair;
  };
  const ca = await make('ca', '-subj', '/CN=Test authority');
  const issued = ['-CA', ca.cert, '-CAkey', ca.key, '-addext', 'basicConstraints=critical,CA:FALSE'];
  return {
    ca: ca.cert,
    otherCa: (await make('other', '-subj', '/CN=Another authority')).cert,
    server: await make(
      'server',
      ...issued,
      '-subj',
      '/CN=server',
      '-addext',
      `subjectAltName=DNS:${serverName}`,
    ),
    client: await make('client', ...issued, '-subj', '/CN=client'),
    remove: () => directory.remove(),
  };
}
