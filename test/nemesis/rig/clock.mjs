/**
 * Preloaded into processes of the product (`node --import`): their `Date` is wrong by as many milliseconds as the file NEMESIS_CLOCK
 * says, which may change at any time. `performance.now()` and timers are right, as those of a machine whose clock is set.
 */
import { readFileSync } from 'node:fs';

const file = process.env.NEMESIS_CLOCK;
if (file) {
  const Right = Date;
  const rightNow = Date.now;
  let wrongBy = 0;
  const look = () => {
    try {
      wrongBy = Number(readFileSync(file, 'utf8')) || 0;
    } catch {
      // Between two contents.
    }
  };
  look();
  setInterval(look, 100).unref();
  Right.now = () => rightNow() + wrongBy;
  globalThis.Date = new Proxy(Right, {
    apply: () => new Right(Right.now()).toString(),
    construct: (target, args, by) =>
      Reflect.construct(
        target,
        args.length === 0 ? [Right.now()] : args,
        by === globalThis.Date ? target : by,
      ),
  });
  Right.prototype.constructor = globalThis.Date;
}
