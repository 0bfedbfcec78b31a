import type { Operation } from './history.ts';

/** Collects the operations of all clients while they work. */
export class History {
  readonly operations: Operation[] = [];
  private readonly startedAt = performance.now();

  /** Milliseconds since the load began. */
  now(): number {
    return performance.now() - this.startedAt;
  }

  /** Notes that an operation begins. It is `unknown` until `complete` says more. */
  invoke(operation: Omit<Operation, 'id' | 'invokedAt' | 'outcome'>): Operation {
    const invoked: Operation = {
      ...operation,
      id: this.operations.length,
      invokedAt: this.now(),
      outcome: 'unknown',
    };
    this.operations.push(invoked);
    return invoked;
  }

  complete(operation: Operation, result: Pick<Operation, 'outcome'> & Partial<Operation>): void {
    Object.assign(operation, result, { completedAt: this.now() });
  }
}
