import { InvalidArgumentError, Option } from 'commander';
import type { FeatureCommands } from '../../platform/lifecycle/index.js';
import { PaymentDisputes } from './payment-disputes.js';

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
const LISTED = 1000;

/** `payment:disputes`, `payment:decide`. */
export const paymentCommands: FeatureCommands = (cli, { run, print }) => {
  cli
    .command('payment:disputes')
    .description(
      'list payments for which the provider charged another amount than that of the order, oldest first',
    )
    .action(() =>
      run(async (context) => {
        const disputes = await context.get(PaymentDisputes, { strict: false }).list(LISTED);
        for (const { paymentId, since, orderId, chargeId, due, charged } of disputes) {
          print(
            `${paymentId}  ${since.toISOString()}  order ${orderId}  charge ${chargeId}  due ${due}  charged ${charged}`,
          );
        }
        print(
          disputes.length === 0
            ? 'There are no disputed payments.'
            : `${disputes.length} disputed payment(s).`,
        );
        return 0;
      }),
    );

  cli
    .command('payment:decide')
    .description('end a dispute that is settled with the provider')
    .argument('<payment>', 'id of the payment; see `payment:disputes`', uuid)
    .addOption(
      new Option(
        '--as <verdict>',
        'accepted: the charged amount pays for the order; refunded: the order can be paid again',
      )
        .choices(['accepted', 'refunded'])
        .makeOptionMandatory(),
    )
    .action((paymentId: string, { as: verdict }: { as: 'accepted' | 'refunded' }) =>
      run(async (context) => {
        const decided = await context.get(PaymentDisputes, { strict: false }).decide(paymentId, verdict);
        print(decided ? `The payment is ${verdict}.` : `There is no disputed payment ${paymentId}.`);
        return decided ? 0 : 1;
      }),
    );
};

function uuid(text: string): string {
  if (!UUID.test(text)) throw new InvalidArgumentError('must be a UUID');
  return text;
}
