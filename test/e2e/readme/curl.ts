/** As much of curl as the README uses, for machines that have none: the README's lines are tested there as well. */
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    silent: { type: 'boolean', short: 's' },
    fail: { type: 'boolean', short: 'f' },
    header: { type: 'string', short: 'H', multiple: true, default: [] },
    data: { type: 'string', short: 'd' },
    'write-out': { type: 'string', short: 'w', default: '' },
    retry: { type: 'string', default: '0' },
    'retry-delay': { type: 'string', default: '1' },
    'retry-all-errors': { type: 'boolean' },
  },
});

const headers = values.header.map((line): [string, string] => {
  const colon = line.indexOf(':');
  return [line.slice(0, colon), line.slice(colon + 1).trim()];
});

for (let attempt = 0; ; attempt += 1) {
  const response = await fetch(`http://${positionals[0]}`, {
    method: values.data === undefined ? 'GET' : 'POST',
    headers,
    body: values.data,
  });
  const text = await response.text();
  if (!values.fail || response.ok) {
    process.stdout.write(
      text + values['write-out'].replace('%{http_code}', String(response.status)).replaceAll('\\n', '\n'),
    );
    break;
  }
  if (attempt >= Number(values.retry)) {
    process.exitCode = 22;
    break;
  }
  await delay(Number(values['retry-delay']) * 1000);
}
