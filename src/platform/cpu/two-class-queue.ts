import { FixedQueue, queueOptionsSymbol, type TaskQueue } from 'piscina';

type Task = Parameters<TaskQueue['push']>[0];

/** Marks a task as one that others may overtake, for `TwoClassQueue`. */
export const BACKGROUND = { [queueOptionsSymbol]: { background: true } };

/** Background tasks wait until no other task waits. */
export class TwoClassQueue implements TaskQueue {
  private readonly urgent = new FixedQueue();
  private readonly background = new FixedQueue();

  get size(): number {
    return this.urgent.size + this.background.size;
  }

  push(task: Task): void {
    this.queueOf(task).push(task);
  }

  unshift(task: Task): void {
    this.queueOf(task).unshift(task);
  }

  shift(): Task | null {
    return this.urgent.shift() ?? this.background.shift();
  }

  remove(task: Task): void {
    this.queueOf(task).remove(task);
  }

  private queueOf(task: Task): FixedQueue {
    return task[queueOptionsSymbol] === null ? this.urgent : this.background;
  }
}
