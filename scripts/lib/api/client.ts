import { createClient } from '@hey-api/openapi-ts';

/** Writes a typed client for an API into a folder that it replaces: plain `fetch`, no package besides. */
export async function writeClient(document: object, folder: string): Promise<void> {
  await createClient({
    input: document as Record<string, unknown>,
    output: { path: folder, module: { extension: '.js' } },
    logs: { level: 'silent', file: false },
    // The address is the caller's to give: that of the document is relative.
    plugins: [{ name: '@hey-api/client-fetch', baseUrl: false }, '@hey-api/typescript', '@hey-api/sdk'],
  });
}
