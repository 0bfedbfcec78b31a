// The part of CHANGELOG.md about one version, and how to check its image. Fails when nobody has written it.
// Usage: node release-notes.mjs v1.2.3 registry/name@sha256:...
import { readFileSync } from 'node:fs';

const [tag = '', image = ''] = process.argv.slice(2);
const version = tag.replace(/^v/, '');
const changelog = readFileSync(new URL('../CHANGELOG.md', import.meta.url), 'utf8');
const section = changelog.split(/^## /m).find((part) => part.split(/[\s,]/, 1)[0] === version);
if (!section) throw new Error(`CHANGELOG.md has no section "## ${version}"`);
console.log(`${section.slice(section.indexOf('\n')).trim()}

\`\`\`sh
cosign verify ${image} --certificate-oidc-issuer https://token.actions.githubusercontent.com --certificate-identity-regexp '/release.yml@refs/tags/'
\`\`\``);
