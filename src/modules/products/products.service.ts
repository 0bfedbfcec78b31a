import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { Repository } from 'typeorm';
import { newId, UnitOfWork } from '../../platform/database/index.js';
import { BusinessRuleError, ClientError } from '../../platform/errors/index.js';
import { staleVersion, type Page, type PageQuery } from '../../platform/http/index.js';
import type { ChangeProductDto } from './dto/change-product.dto.js';
import type { CreateProductDto } from './dto/create-product.dto.js';
import type { ProductDto } from './dto/product.dto.js';
import { etagOf, renderProduct, type ProductDocument } from './product.document.js';
import { Product } from './product.entity.js';
import { ProductsCatalogue } from './products.catalogue.js';
import { ProductsRepository, type Quantity, type ReservationRow } from './products.repository.js';

/** An order's share of one product, at the current price. */
export interface ReservedItem {
  productId: string;
  name: string;
  quantity: number;
  /** In the minor unit of `currency`. */
  unitPrice: number;
  currency: string;
}

/** The largest value of the column; more than any stock. */
const LARGEST_QUANTITY = 2_147_483_647;

@Injectable()
export class ProductsService {
  constructor(
    @InjectRepository(Product) private readonly products: Repository<Product>,
    private readonly stock: ProductsRepository,
    private readonly catalogue: ProductsCatalogue,
    private readonly unitOfWork: UnitOfWork,
  ) {}

  async create({ name, description = '', price, stock }: CreateProductDto): Promise<ProductDocument> {
    const { amount: priceAmount, currency } = price;
    const product = this.products.create({ id: newId(), name, description, priceAmount, currency, stock });
    await this.products.insert(product);
    this.announce([product]);
    return renderProduct(product);
  }

  /** A page as the database has it now, bypassing every cache. @throws ClientError 422 on a bad cursor. */
  list(query: PageQuery): Promise<Page<ProductDto>> {
    return this.catalogue.list(query);
  }

  /**
   * Changes some members of a product, unless it has changed since the caller read it.
   * @param versions those the caller knows; undefined for any version
   * @throws ClientError 404 `product-not-found`; BusinessRuleError 412 `stale-version`
   */
  async change(
    id: string,
    versions: number[] | undefined,
    { price, ...changes }: ChangeProductDto,
  ): Promise<ProductDocument> {
    const product = await this.unitOfWork.run(async () => {
      const current = await this.products.findOne({ where: { id }, lock: { mode: 'pessimistic_write' } });
      if (!current) throw productNotFound();
      if (versions && !versions.includes(current.version)) throw staleVersion(etagOf(current.version));
      await this.products.update(
        { id },
        { ...changes, priceAmount: price?.amount, currency: price?.currency },
      );
      return this.products.findOneByOrFail({ id });
    });
    this.announce([product]);
    return renderProduct(product);
  }

  /**
   * Takes products out of stock for the caller's unit of work: all, or, with an error, none. Of two callers that want the last
   * piece, one waits for the other to commit and then gets the error.
   * @returns one item for each product, in the order given; quantities of a product listed twice are added up.
   * @throws ClientError 422 `unknown-product`; BusinessRuleError 409 `insufficient-stock` with `productId` and `available`
   */
  async reserve(items: Quantity[]): Promise<ReservedItem[]> {
    const wanted = summed(items);
    const rows = await this.stock.reserve(wanted);
    const byId = new Map(rows.map((row) => [row.id, row]));
    const reserved = wanted.map(({ productId, quantity }) => {
      const row = byId.get(productId);
      if (!row) throw unknownProduct(productId);
      return { row, quantity };
    });
    for (const { row, quantity } of reserved) {
      if (row.available < quantity) throw insufficientStock(row);
    }
    this.announce(rows.map(({ id, version }) => ({ id, version: version as number })));
    return reserved.map(({ row, quantity }) => ({
      productId: row.id,
      name: row.name,
      quantity,
      unitPrice: row.priceAmount,
      currency: row.currency,
    }));
  }

  /** Puts products back into stock, in the caller's unit of work. */
  async release(items: Quantity[]): Promise<void> {
    this.announce(await this.stock.release(summed(items)));
  }

  private announce(changed: { id: string; version: number }[]): void {
    this.unitOfWork.afterCommit(() => this.catalogue.outdate(changed));
  }
}

export function productNotFound(): ClientError {
  return new ClientError({
    status: 404,
    /** There is no product with this id. */
    code: 'product-not-found',
    detail: 'There is no such product.',
  });
}

function unknownProduct(productId: string): ClientError {
  return new ClientError({
    status: 422,
    /** An item names a product that does not exist (`errors`). Correct the item. */
    code: 'unknown-product',
    detail: `There is no product ${productId}.`,
    extensions: { productId },
  });
}

function insufficientStock({ id, name, available }: ReservationRow): BusinessRuleError {
  return new BusinessRuleError({
    status: 409,
    /** Fewer of a product are in stock (`available`) than were ordered. Order fewer, or another product. */
    code: 'insufficient-stock',
    detail: `Only ${available} of ${name} are in stock.`,
    extensions: { productId: id, available },
  });
}

function summed(items: Quantity[]): Quantity[] {
  const byProduct = new Map<string, number>();
  for (const { productId, quantity } of items) {
    const id = productId.toLowerCase();
    byProduct.set(id, Math.min((byProduct.get(id) ?? 0) + quantity, LARGEST_QUANTITY));
  }
  return [...byProduct].map(([productId, quantity]) => ({ productId, quantity }));
}
