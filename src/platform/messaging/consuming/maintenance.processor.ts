import { EventConsumer } from '../topology/event-consumer.js';
import { EventProcessor, MAINTENANCE_QUEUE } from '../topology/decorators.js';

/** Runs the scheduled jobs that have no feature's queue. */
@EventProcessor(MAINTENANCE_QUEUE)
export class MaintenanceProcessor extends EventConsumer {}
