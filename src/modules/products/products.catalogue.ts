import { Injectable } from '@nestjs/common';
import { CacheFactory, type Cached, type ReadThroughCache } from '../../platform/cache/index.js';
import { decodeCursor, pageOf, type Page, type PageQuery } from '../../platform/http/index.js';
import type { ProductDto } from './dto/product.dto.js';
import {
  isCurrentFormat,
  present,
  renderPage,
  renderProduct,
  sizeOfRendered,
  type ProductDocument,
  type Rendered,
} from './product.document.js';
import { ProductsRepository } from './products.repository.js';

/** The public reads: products and their list, rendered and cached. */
@Injectable()
export class ProductsCatalogue {
  private readonly documents: ReadThroughCache<ProductDocument>;
  private readonly pages: ReadThroughCache<Rendered>;

  constructor(
    private readonly products: ProductsRepository,
    caches: CacheFactory,
  ) {
    this.documents = caches.create<ProductDocument>({
      name: 'products',
      versionOf: ({ version }) => version,
      isUsable: isCurrentFormat,
      sizeOf: sizeOfRendered,
      load: async (id) => {
        const row = await products.findById(id);
        return row && renderProduct(row);
      },
    });
    // Not in Redis: clients can make up cursors, so the number of keys has no limit.
    this.pages = caches.createLocal<Rendered>({
      name: 'product-pages',
      sizeOf: sizeOfRendered,
      load: async (key) => {
        const [limit, before] = JSON.parse(key) as [number, string?];
        return renderPage(await this.load(limit, before));
      },
    });
  }

  /** A product; synchronously when this process has a copy. @throws TransientError when no source has it. */
  find(id: string): Cached<ProductDocument> | undefined | Promise<Cached<ProductDocument> | undefined> {
    return this.documents.get(id);
  }

  /** A page of all products, newest first. @throws ClientError 422 on a bad cursor. */
  async page({ limit, cursor }: PageQuery): Promise<Cached<Rendered>> {
    const page = await this.pages.get(JSON.stringify([limit, ...positionIn(cursor)]));
    if (!page) throw new Error('A page is never missing: past the end it is empty');
    return page;
  }

  /** A page as the database has it now. */
  async list({ limit, cursor }: PageQuery): Promise<Page<ProductDto>> {
    return this.load(limit, ...positionIn(cursor));
  }

  /** Reports, after the commit, that products have these versions now. */
  outdate(changed: { id: string; version: number }[]): void {
    for (const { id, version } of changed) this.documents.outdate(id, version);
    this.pages.outdateAll();
  }

  private async load(limit: number, before?: string): Promise<Page<ProductDto>> {
    return pageOf(await this.products.page(limit, before), limit, ({ id }) => [id], present);
  }
}

function positionIn(cursor: string | undefined): [] | [string] {
  return decodeCursor<[string]>(cursor, ['uuid']) ?? [];
}
