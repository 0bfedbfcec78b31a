import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { LessThan, Repository } from 'typeorm';
import { newId } from '../../platform/database/index.js';
import { ClientError } from '../../platform/errors/index.js';
import {
  decodeCursor,
  pageOf,
  requireMatch,
  staleVersion,
  type Page,
  type PageQuery,
} from '../../platform/http/index.js';
import { Address } from './address.entity.js';
import type { AddressFieldsDto } from './dto/address-fields.dto.js';
import type { AddressDto } from './dto/address.dto.js';

/** An address, with the tag of its version. */
export interface TaggedAddress {
  etag: string;
  address: AddressDto;
}

/** Every method is for one owner: another customer's address counts as not existing. */
@Injectable()
export class AddressesService {
  constructor(@InjectRepository(Address) private readonly addresses: Repository<Address>) {}

  /** Newest first. @throws ClientError 422 on a bad cursor */
  async list(userId: string, { limit, cursor }: PageQuery): Promise<Page<AddressDto>> {
    const [before] = decodeCursor<[string]>(cursor, ['uuid']) ?? [];
    const rows = await this.addresses.find({
      where: { userId, ...(before !== undefined && { id: LessThan(before) }) },
      order: { id: 'DESC' },
      take: limit + 1,
    });
    return pageOf(rows, limit, ({ id }) => [id], present);
  }

  /** @throws ClientError 404 `address-not-found` */
  async get(userId: string, id: string): Promise<TaggedAddress> {
    return tagged(await this.find(userId, id));
  }

  async create(userId: string, fields: AddressFieldsDto): Promise<TaggedAddress> {
    const address = this.addresses.merge(this.addresses.create({ id: newId(), userId }), fields);
    await this.addresses.insert(address);
    return tagged(address);
  }

  /**
   * Changes an address, unless it has changed since the caller read it.
   * @throws ClientError 404 `address-not-found`, 428 without `If-Match`; BusinessRuleError 412 `stale-version`
   */
  async change(
    userId: string,
    id: string,
    ifMatch: string | undefined,
    fields: AddressFieldsDto,
  ): Promise<TaggedAddress> {
    const address = await this.find(userId, id);
    const { version } = address;
    requireMatch(ifMatch, etagOf(address));
    const { affected } = await this.addresses.update({ id, version }, fields);
    if (affected === 0) throw staleVersion();
    return tagged(this.addresses.merge(address, fields, { version: version + 1 }));
  }

  /** @throws ClientError 404 `address-not-found` */
  async delete(userId: string, id: string): Promise<void> {
    const { affected } = await this.addresses.delete({ id, userId });
    if (affected === 0) throw addressNotFound();
  }

  private async find(userId: string, id: string): Promise<Address> {
    const address = await this.addresses.findOneBy({ id, userId });
    if (!address) throw addressNotFound();
    return address;
  }
}

function tagged(address: Address): TaggedAddress {
  return { etag: etagOf(address), address: present(address) };
}

function etagOf({ version }: Address): string {
  return `"${version}"`;
}

function present({ id, recipient, street, postalCode, city, country, createdAt }: Address): AddressDto {
  return { id, recipient, street, postalCode, city, country, createdAt: createdAt.toISOString() };
}

function addressNotFound(): ClientError {
  return new ClientError({
    status: 404,
    /** The caller has no address with this id. */
    code: 'address-not-found',
    detail: 'There is no such address.',
  });
}
