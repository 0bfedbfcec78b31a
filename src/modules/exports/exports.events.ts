import { defineEvent } from '../../platform/messaging/index.js';

/** An export was requested. */
export interface ExportRequested {
  exportId: string;
}

export const exportRequested = defineEvent<ExportRequested>('export.requested', { consumers: ['exports'] });
