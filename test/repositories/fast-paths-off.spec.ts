import { FAST_PATHS } from '../../src/config/sections/fast.settings.js';
import { switchOff } from '../../src/platform/fast/index.js';

/** What holds with the optimisations holds on ordinary code, too: the same tests once more. */
switchOff(FAST_PATHS);
await import('./unit-of-work.spec.js');
await import('./idempotency.spec.js');
await import('./outdated-connections.spec.js');
await import('../specimen/ledger.spec.js');
