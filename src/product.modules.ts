import type { Type } from '@nestjs/common';
import { AddressesModule } from './modules/addresses/index.js';
import { AuthModule } from './modules/auth/index.js';
import { ExportsModule } from './modules/exports/index.js';
import { NotificationsModule } from './modules/notifications/index.js';
import { OrdersModule } from './modules/orders/index.js';
import { PaymentsModule } from './modules/payments/index.js';
import { PicturesModule } from './modules/pictures/index.js';
import { ProductsModule } from './modules/products/index.js';
import { UsersModule } from './modules/users/index.js';
import { PROBLEM_DETAILS, type ProblemFormat } from './platform/http/index.js';

/**
 * The features of the product. Both processes have all of them: the api serves their controllers, the worker runs their
 * processors. A feature is added and removed here.
 */
export const PRODUCT: Type[] = [
  AuthModule,
  UsersModule,
  ProductsModule,
  OrdersModule,
  PaymentsModule,
  NotificationsModule,
  ExportsModule,
  AddressesModule,
  PicturesModule,
];

/** How errors are written. A product extends or replaces the problem document here (docs/extending.md). */
export const PROBLEMS: ProblemFormat = PROBLEM_DETAILS;
