import { EventConsumer } from '../topology/event-consumer.js';
import { EventProcessor, MAINTENANCE_QUEUE } from '../topology/decorators.js';

/** Runs the scheduled jobs that belong to no feature's own queue. */
@EventProcessor(MAINTENANCE_QUEUE)
export class MaintenanceProcessor extends EventConsumer {}
