export { MoneyDto } from './dto/money.dto.js';
export type { OrderExportFilter, OrderExportRow } from './order-export.repository.js';
export { orderCancelled, orderPlaced, type OrderEvent } from './orders.events.js';
export { OrdersModule } from './orders.module.js';
export { OrdersService, type AmountDue } from './orders.service.js';
