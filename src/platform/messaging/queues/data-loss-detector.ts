import { Inject, Injectable } from '@nestjs/common';
import { Settings } from '../../../config/index.js';
import { newId } from '../../context/index.js';
import { QueueConnections } from './queue-connections.js';

export type QueueDataState =
  /** The mark found there is the one seen before. */
  | 'kept'
  /** There is no mark: everything that was in the queues is gone. */
  | 'lost'
  /** Another process has detected the loss and set a new mark. */
  | 'renewed';

/**
 * Detects that Redis has come back without its data, which causes no error: a mark is kept beside the queues, and when it is
 * missing, they are empty as well. Without it, lost events would wait for their redelivery.
 */
@Injectable()
export class DataLossDetector {
  private readonly key: string;
  private known?: string;

  constructor(
    private readonly connections: QueueConnections,
    @Inject(Settings) { redis }: Settings,
  ) {
    this.key = `${redis.prefix}:queue-memory`;
  }

  /** Checks the mark. @throws Error when Redis does not answer */
  async check(): Promise<QueueDataState> {
    const found = await this.connections.producer.get(this.key);
    if (found === null) return 'lost';
    const state = this.known === undefined || this.known === found ? 'kept' : 'renewed';
    this.known = found;
    return state;
  }

  /** Sets a new mark where there is none. @returns whether it was this call that did. @throws Error when Redis does not answer */
  async renew(): Promise<boolean> {
    const mark = newId();
    if ((await this.connections.producer.set(this.key, mark, 'NX')) !== 'OK') return false;
    this.known = mark;
    return true;
  }
}
