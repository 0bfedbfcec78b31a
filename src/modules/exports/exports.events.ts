import { defineEvent } from '../../platform/messaging/index.js';

/** Somebody has asked for an export. */
export interface ExportRequested {
  exportId: string;
}

export const exportRequested = defineEvent<ExportRequested>('export.requested', { consumers: ['exports'] });
