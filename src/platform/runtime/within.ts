/** The work was not done in time; its later result is ignored. */
export class TimedOutError extends Error {
  constructor(ms: number) {
    super(`no answer within ${ms} ms`);
    this.name = 'TimedOutError';
  }
}

/**
 * The result of `work`, unless it takes longer than `ms`. Input that has arrived by then is read first: after a stall of the
 * event loop timers run before sockets, and answers that arrived long ago would count as late.
 * @param late makes the error of work that takes longer
 * @throws TimedOutError, or what `late` makes
 */
export function within<T>(
  ms: number,
  work: PromiseLike<T>,
  late: () => Error = () => new TimedOutError(ms),
): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const timer = setTimeout(() => setImmediate(() => reject(late())), ms);
    work.then(
      (value) => {
        clearTimeout(timer);
        resolve(value);
      },
      (error: Error) => {
        clearTimeout(timer);
        reject(error);
      },
    );
  });
}
