import type { Product } from './config/index.js';
import { AuthSettings } from './modules/auth/auth.settings.js';
import { ExportsSettings } from './modules/exports/exports.settings.js';
import { NotificationsSettings } from './modules/notifications/notifications.settings.js';
import { PaymentsSettings } from './modules/payments/payments.settings.js';
import { StorageSettings } from './platform/storage/storage.settings.js'; // only: pictures

/**
 * What the platform is told about this product; its features are in `product.modules.ts`. Apart from them, because the settings are read
 * before anything else is loaded.
 */
export const PRODUCT: Product = {
  name: 'holdfast',
  title: 'Holdfast',
  description: 'A small shop back office: the worked example of Holdfast.',
  settings: {
    auth: AuthSettings,
    payments: PaymentsSettings,
    notifications: NotificationsSettings,
    exports: ExportsSettings,
    storage: StorageSettings, // only: pictures
  },
};
