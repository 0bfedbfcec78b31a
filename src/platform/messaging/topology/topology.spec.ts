import { Module, type DynamicModule, type Type } from '@nestjs/common';
import { DiscoveryModule, NestFactory } from '@nestjs/core';
import { describe, expect, it } from 'vitest';
import { EventProcessor, Handles, Scheduled } from './decorators.js';
import { EventConsumer } from './event-consumer.js';
import { defineEvent, type DeliveredEvent } from '../events.js';
import { Inbox } from '../inbox/inbox.js';
import { MessagingModule } from '../messaging.module.js';
import { TopologyError } from './topology-rules.js';
import { MESSAGING_ROLE, Topology, type MessagingRole } from './topology.js';

interface Parcel {
  number: number;
}

const sent = defineEvent<Parcel>('parcel.sent', { consumers: ['post'] });
const kept = defineEvent<Parcel>('parcel.kept', { consumers: ['post'] });

@EventProcessor('post', { concurrency: 3, attempts: 4 })
class PostProcessor extends EventConsumer {
  readonly got: number[] = [];

  @Handles(sent)
  async onSent(event: DeliveredEvent<Parcel>): Promise<void> {
    this.got.push(event.payload.number);
  }

  @Scheduled({ name: 'tick', every: 1000, queue: 'post' })
  async tick(): Promise<void> {
    this.got.push(0);
  }
}

@EventProcessor('attic')
class NoConsumer {}

const inbox = { provide: Inbox, useValue: {} };

async function topologyOf(
  role: MessagingRole,
  feature: DynamicModule,
  providers: Type[],
): Promise<{ topology: Topology; post?: PostProcessor }> {
  @Module({
    imports: [DiscoveryModule, feature],
    providers: [Topology, { provide: MESSAGING_ROLE, useValue: role }, inbox, ...providers],
  })
  class ProcessModule {}
  const app = await NestFactory.createApplicationContext(ProcessModule, {
    logger: false,
    abortOnError: false,
  });
  const topology = app.get(Topology);
  const post = providers.includes(PostProcessor) ? app.get(PostProcessor) : undefined;
  await app.close();
  return { topology, post };
}

describe('the topology of a process', () => {
  const feature = MessagingModule.forFeature({ events: [sent], queues: ['post'] });

  it('is found from the modules: handlers by queue and event, schedules by name, bound to their instances', async () => {
    const { topology, post } = await topologyOf('worker', feature, [PostProcessor]);
    const entry = topology.consumers.get('post');
    expect(entry).toMatchObject({ queue: 'post', attempts: 4 });
    await entry?.handlers.get('parcel.sent')?.run({ payload: { number: 7 } } as unknown as DeliveredEvent);
    await topology.schedules.get('tick')?.run();
    expect(post?.got).toEqual([7, 0]);
    expect(topology.schedules.get('tick')).toMatchObject({ every: 1000, queue: 'post' });
  });

  it('stops a worker whose handlers do not match, with all problems', async () => {
    const bad = MessagingModule.forFeature({ events: [sent, kept], queues: ['post', 'attic', 'cellar'] });
    const error = await topologyOf('worker', bad, [PostProcessor, NoConsumer]).catch(
      (reason: unknown) => reason,
    );
    expect(error).toBeInstanceOf(TopologyError);
    expect((error as TopologyError).problems).toEqual([
      "queue cellar has no processor; provide a class with @EventProcessor('cellar') in its feature",
      'PostProcessor has no handler for parcel.kept, although post is its consumer; add a method with @Handles',
      'NoConsumer must extend EventConsumer',
    ]);
  });

  it('stops a worker that bounds the concurrency of an event, and says where it can be set', async () => {
    @EventProcessor('post')
    class BoundingProcessor extends EventConsumer {
      @Handles(sent, { concurrency: 1 })
      async onSent(): Promise<void> {}
    }
    await expect(topologyOf('worker', feature, [BoundingProcessor])).rejects.toMatchObject({
      problems: [
        "BoundingProcessor.onSent sets concurrency for parcel.sent, but it is the queue's; give parcel.sent its own queue, whose @EventProcessor sets it",
      ],
    });
  });

  it('allows an api to announce what a worker elsewhere handles', async () => {
    const { topology } = await topologyOf('api', MessagingModule.forFeature({ events: [sent] }), []);
    expect(() => topology.requireDeclared(sent)).not.toThrow();
  });

  it('stops an api whose events are invalid', async () => {
    const twice = MessagingModule.forFeature({ events: [sent, sent] });
    await expect(topologyOf('api', twice, [])).rejects.toThrow('event parcel.sent is declared 2 times');
  });

  it('rejects an event that no feature declares, or another one of the same name', async () => {
    const { topology } = await topologyOf('worker', feature, [PostProcessor]);
    expect(() => topology.requireDeclared(kept)).toThrow('parcel.kept is not declared');
    expect(() => topology.requireDeclared(defineEvent('parcel.sent', { consumers: ['post'] }))).toThrow(
      'is not declared',
    );
  });
});
