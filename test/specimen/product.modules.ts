import type { Type } from '@nestjs/common';
import { AuthModule } from '../../src/modules/auth/index.js';
import { UsersModule } from '../../src/modules/users/index.js';
import { LedgerModule } from './ledger/ledger.module.js';
import { PayeesModule } from './payees/payees.module.js';
import { PROBLEM_DETAILS, type ProblemFormat } from '../../src/platform/http/index.js';

/**
 * What takes the place of src/product.modules.ts where the platform is tested: the ledger, a feature of TypeORM and BullMQ alone, and of the product what every fork
 * keeps.
 */
export const PRODUCT: Type[] = [AuthModule, UsersModule, LedgerModule, PayeesModule];

export const PROBLEMS: ProblemFormat = PROBLEM_DETAILS;
