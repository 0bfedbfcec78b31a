import type { Sabotage } from '../sabotage.ts';

export const what = 'Readiness answers 503 while PostgreSQL or Redis is down, at all instances at once';

export const replacements: Sabotage['replacements'] = [
  {
    file: 'platform/health/health.controller.js',
    from: `return status === 'up' ? indicator.up(details) : indicator.degraded(details);`,
    to: `return status === 'up' ? indicator.up(details) : indicator.down(details);`,
  },
];
