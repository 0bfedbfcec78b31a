import { setFlagsFromString } from 'node:v8';

/** How much the old generation may grow, in percent of its live size, before it is collected. V8's default is up to 300. */
const GROWTH_PERCENT = 40;

// Half of a worker's allocations for a mail outlive a scavenge (docs/performance.md, "Memory") and stay until the old generation
// is collected, which V8 postpones while the machine has memory: 390 MB were resident, 100 of them alive. Read at each
// collection, so it can be set while the process runs.
setFlagsFromString(`--heap-growing-percent=${GROWTH_PERCENT}`);
