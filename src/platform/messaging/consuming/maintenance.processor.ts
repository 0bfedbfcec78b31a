import { EventConsumer } from './event-consumer.js';
import { EventProcessor, MAINTENANCE_QUEUE } from './decorators.js';

/** Runs the scheduled jobs that belong to no feature's own queue. */
@EventProcessor(MAINTENANCE_QUEUE)
export class MaintenanceProcessor extends EventConsumer {}
