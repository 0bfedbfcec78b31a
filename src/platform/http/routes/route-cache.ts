import type { ExecutionContext } from '@nestjs/common';

type Handler = ReturnType<ExecutionContext['getHandler']>;
type Controller = ReturnType<ExecutionContext['getClass']>;

/** Where a route's decorators are; the handler's come before its controller's. */
export type RoutePlaces = [handler: Handler, controller: Controller];

/** The combined decorators of a route, read once per route and not on each request. */
export class RouteCache<T> {
  /** By controller first: two controllers may inherit one handler and differ in their decorators. */
  private readonly known = new WeakMap<Controller, WeakMap<Handler, { value: T }>>();

  constructor(private readonly read: (...places: RoutePlaces) => T) {}

  of(context: ExecutionContext): T {
    const controller = context.getClass();
    const handler = context.getHandler();
    let handlers = this.known.get(controller);
    if (!handlers) this.known.set(controller, (handlers = new WeakMap()));
    let entry = handlers.get(handler);
    if (!entry) handlers.set(handler, (entry = { value: this.read(handler, controller) }));
    return entry.value;
  }
}
