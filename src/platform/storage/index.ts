export { ObjectStorage, type SignedRequest } from './object-storage.js';
export type { ObjectInfo, StoredObject } from './storage-driver.js';
export { StorageModule } from './storage.module.js';
export { StorageSettings } from './storage.settings.js';
