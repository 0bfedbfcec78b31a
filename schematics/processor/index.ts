import type { Rule } from '@angular-devkit/schematics';
import { memberOf, withElement } from '../lib/edit.ts';
import { requireFeature } from '../lib/existing.ts';
import { GeneratorFailure } from '../lib/failure.ts';
import { generator, type Files } from '../lib/generator.ts';
import { imported, withInModule, withProvider } from '../lib/modules.ts';
import { pascal, requireName } from '../lib/names.ts';
import { addHandler, callOf, findEvent, requireNoCycle, specOf } from './handler.ts';

interface Options {
  name: string;
  event?: string;
  queue?: string;
}

/** `npm run g -- processor notifications --event invoice.sent`, or `--queue thumbnails`. */
export function processor({ name, event, queue }: Options): Rule {
  return generator((files) => {
    const folder = requireFeature(files, name);
    if (!event === !queue)
      throw new GeneratorFailure(
        'Give --event invoice.sent for an event, or --queue thumbnails for a plain queue.',
      );
    if (event) {
      handle(files, name, event);
      if (!files.has(specOf(event)))
        files.left.push(`${specOf(event)} is not there: test by hand that ${name} handles ${event}.`);
    } else if (queue) serve(files, name, folder, queue);
  });
}

/** Makes a feature a consumer of an event. */
export function handle(files: Files, name: string, event: string): void {
  const declared = findEvent(files, event);
  const consumers = () => memberOf(callOf(files.read(declared.path), event)?.arguments[1], 'consumers');
  if (consumers()?.getText().includes(`'${name}'`))
    throw new GeneratorFailure(`${name} is a consumer of ${event} already.`);
  requireNoCycle(files, name, declared.feature);
  files.edit(declared.path, (text) => withElement(text, consumers(), `'${name}'`));
  addHandler(files, name, declared);
}

function serve(files: Files, name: string, folder: string, queue: string): void {
  requireName(queue);
  const taken = files.tree
    .getDir('src/modules')
    .subdirs.flatMap((feature) =>
      files.list(`src/modules/${feature}`).map((file) => `src/modules/${feature}/${file}`),
    )
    .find((path) => /\.(module|processor)\.ts$/.test(path) && files.read(path).includes(`'${queue}'`));
  if (taken) throw new GeneratorFailure(`${taken} has the queue ${queue} already: choose another name.`);
  const className = `${pascal(queue)}Processor`;
  const module = `${folder}/${name}.module.ts`;
  files.create({
    [`${folder}/${queue}.processor.ts`]: worker(queue, className),
    [`test/e2e/${queue}.queue.spec.ts`]: queueSpec(queue),
  });
  files.edit(module, (text) =>
    imported(
      withInModule(text, 'imports', `BullModule.registerQueue({ name: '${queue}' })`),
      ['BullModule'],
      '@nestjs/bullmq',
    ),
  );
  files.edit(module, (text) => withProvider(text, className, `./${queue}.processor.js`));
}

function worker(queue: string, className: string): string {
  return `import { Processor, WorkerHost } from '@nestjs/bullmq';
import { Logger } from '@nestjs/common';
import type { Job } from 'bullmq';

/** Jobs are delivered at least once: do through \`Inbox\` what must happen once (docs/decisions/0012-plain-queues.md). */
@Processor('${queue}')
export class ${className} extends WorkerHost {
  private readonly logger = new Logger(${className}.name);

  async process({ id, name }: Job<object, void>): Promise<void> {
    this.logger.log({ job: id, name }, 'The job is done');
  }
}
`;
}

function queueSpec(queue: string): string {
  return `import { getQueueToken } from '@nestjs/bullmq';
import type { Queue } from 'bullmq';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { waitFor } from '../../local/wait-for.js';
import { startProduct, type ProductUnderTest } from './product-under-test.js';

let product: ProductUnderTest;

beforeAll(async () => {
  product = await startProduct();
  await product.startWorker();
});

afterAll(() => product?.stop());

it('A job of ${queue} is done in the worker', async () => {
  const queue = product.api.get<Queue>(getQueueToken('${queue}'), { strict: false });
  const { id } = await queue.add('first', {});

  expect(id).toBeDefined();
  const recorded = 'SELECT 1 FROM inbox WHERE event_id = $1 AND consumer = $2';
  await waitFor(async () => (await product.sql(recorded, [id, '${queue}'])).length === 1, {
    within: 60_000,
    what: 'the record of the job',
  });
});
`;
}
