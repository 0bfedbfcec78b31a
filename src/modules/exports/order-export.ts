import { Injectable } from '@nestjs/common';
import { OrdersService, type OrderExportRow } from '../orders/index.js';
import { csvHeader, csvLines, type CsvColumn } from './csv.js';
import type { ExportRun } from './export-runs.repository.js';

const COLUMNS: CsvColumn<OrderExportRow>[] = [
  { header: 'orderId', value: ({ orderId }) => orderId },
  { header: 'userId', value: ({ userId }) => userId },
  { header: 'status', value: ({ status }) => status },
  { header: 'itemCount', value: ({ itemCount }) => itemCount },
  { header: 'totalAmount', value: ({ totalAmount }) => totalAmount },
  { header: 'currency', value: ({ currency }) => currency },
  { header: 'createdAt', value: ({ createdAt }) => createdAt },
];

/**
 * Rows of one fetch of the cursor: half a millisecond of work. A read on the same machine that waits for two milliseconds of it
 * shows in the p99, a shorter wait does not (docs/performance.md).
 */
const ROWS_PER_FETCH = 100;

/** Some lines of a file. */
export interface Lines {
  text: string;
  rows: number;
}

/** The content of an export of orders. */
@Injectable()
export class OrderExport {
  readonly heading = csvHeader(COLUMNS);

  constructor(private readonly orders: OrdersService) {}

  count(run: ExportRun): Promise<number> {
    return this.orders.countForExport(filterOf(run));
  }

  /**
   * All lines, as fast as they are consumed. They are formatted here and not in a thread: passing the rows to a thread (a
   * structured clone) takes the event loop longer than formatting them.
   */
  async *lines(run: ExportRun): AsyncGenerator<Lines> {
    for await (const rows of this.orders.exportRows(filterOf(run), ROWS_PER_FETCH)) {
      yield { text: csvLines(COLUMNS, rows), rows: rows.length };
    }
  }
}

function filterOf({ userId, allUsers, from, to }: ExportRun): { userId?: string; from?: Date; to?: Date } {
  return { userId: allUsers ? undefined : userId, from: from ?? undefined, to: to ?? undefined };
}
