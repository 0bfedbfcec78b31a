export { ProductsModule } from './products.module.js';
export { ProductsService, type ReservedItem } from './products.service.js';
export type { Quantity } from './products.repository.js';
