import {
  DateTimeField,
  EnumField,
  IntField,
  ListField,
  ObjectField,
  StringField,
  UuidField,
} from '../../../src/platform/http/index.js';

/** Small enough that any sum of them stays below 2^53. */
const LARGEST_AMOUNT = 99_999_999_999;
const NAME = { min: 1, max: 200, pattern: /^\p{Zs}*[^\p{Cc}\p{Z}][^\p{Cc}]*$/u, patternName: 'a name' };

export class MoneyDto {
  @IntField({ max: LARGEST_AMOUNT, description: 'In the minor unit of the currency.', example: 1990 })
  amount!: number;

  @StringField({ min: 3, max: 3, pattern: /^[A-Z]{3}$/, patternName: 'an ISO 4217 code', example: 'EUR' })
  currency!: string;
}

export class OpenAccountDto {
  @StringField(NAME)
  name!: string;

  @StringField({ max: 5000, optional: true })
  note?: string;

  @ObjectField(() => MoneyDto, { description: 'What the account opens with.' })
  balance!: MoneyDto;
}

export class ChangeAccountDto {
  @StringField({ ...NAME, optional: true })
  name?: string;

  @StringField({ max: 5000, optional: true })
  note?: string;
}

export class AccountDto {
  @UuidField()
  id!: string;

  @StringField()
  name!: string;

  @StringField({ max: 5000 })
  note!: string;

  @ObjectField(() => MoneyDto)
  balance!: MoneyDto;

  @DateTimeField()
  updatedAt!: string;
}

export class TransferPartDto {
  @UuidField({ description: 'The account that gets the amount.' })
  to!: string;

  @IntField({ min: 1, max: LARGEST_AMOUNT })
  amount!: number;
}

export class MakeTransferDto {
  @UuidField({ description: 'An account of the caller.' })
  from!: string;

  @ListField(() => TransferPartDto, { min: 1, max: 50 })
  parts!: TransferPartDto[];
}

export class TransferDto {
  @UuidField()
  id!: string;

  @UuidField()
  from!: string;

  @ListField(() => TransferPartDto)
  parts!: TransferPartDto[];

  @DateTimeField()
  createdAt!: string;
}

export class WithdrawDto {
  @IntField({ min: 1, max: LARGEST_AMOUNT })
  amount!: number;

  @StringField({ min: 1, max: 100, pattern: /^\w+$/, patternName: 'the name of a payment method' })
  method!: string;
}

export const WITHDRAWAL_STATUSES = ['pending', 'unknown', 'succeeded', 'declined'] as const;
export type WithdrawalStatus = (typeof WITHDRAWAL_STATUSES)[number];

export class WithdrawalDto {
  @UuidField()
  id!: string;

  @UuidField()
  accountId!: string;

  @EnumField(WITHDRAWAL_STATUSES)
  status!: WithdrawalStatus;

  @IntField()
  amount!: number;
}

export class PrintDto {
  @UuidField()
  id!: string;

  @UuidField()
  accountId!: string;

  @IntField({ description: '0 until it is printed.' })
  copies!: number;
}
