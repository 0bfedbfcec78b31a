import type { FeatureSettings } from './settings.js';

/** What the platform knows about the product that runs on it. A fork changes it in `src/product.ts`. */
export interface Product {
  /** Names its processes, connections, queues and tokens: lower-case letters, digits and hyphens. */
  name: string;
  /** For people: in mail and at the head of the API's documentation. */
  title: string;
  /** One sentence for the API's documentation. */
  description: string;
  /** The settings of its features, each under the name of its feature. */
  settings: { [Feature in keyof FeatureSettings]?: new () => FeatureSettings[Feature] };
}

/** The platform without a product, for its own tests. */
export const NO_PRODUCT: Product = { name: 'app', title: 'App', description: '', settings: {} };
