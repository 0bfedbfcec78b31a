import { paymentCommands } from './modules/payments/payments.commands.js';
import { seedProducts } from './modules/products/products.seed.js';
import { userCommands } from './modules/users/users.commands.js';
import { seedUsers } from './modules/users/users.seed.js';
import type { FeatureCommands, Seed } from './platform/lifecycle/index.js';

/** Commands of features, besides those of the platform. */
export const COMMANDS: FeatureCommands[] = [userCommands, paymentCommands];

/** Demo data of features, in the order in which it is made. */
export const SEEDS: Seed[] = [seedUsers, seedProducts];
