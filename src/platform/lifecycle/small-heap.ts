import { setFlagsFromString } from 'node:v8';

/** How much the old generation may grow, in percent of what was alive, before it is collected. V8's own is up to 300. */
const GROWTH_PERCENT = 40;

// Half of what a worker allocates for a mail outlives a scavenge (docs/performance.md, "Memory") and lies there until the old generation
// is collected, which V8 puts off while the machine has memory: 390 MB were resident, 100 of them alive. Read at each collection, so
// that it can be set while the process runs.
setFlagsFromString(`--heap-growing-percent=${GROWTH_PERCENT}`);
