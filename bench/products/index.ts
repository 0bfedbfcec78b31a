import type { Subject } from '../subject.ts';
import { ledger } from './ledger.ts';
import { shop } from './shop.ts';

/** What can be measured; the first one is, unless told otherwise. */
export const PRODUCTS: readonly Subject[] = [shop, ledger];
