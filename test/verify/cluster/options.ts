import { readRunOptions, UsageError } from '../../../local/run-options.ts';
import type { Address } from './cluster.ts';

export interface ClusterOptions {
  list: boolean;
  help: boolean;
  /** Names of scenarios; none means all. */
  only: string[];
  image: string;
  namespace: string;
  /** Default: a node port. */
  address: Address | undefined;
  /** Requests a second. */
  rate: number;
  loseNode: string | undefined;
  returnNode: string | undefined;
  keep: boolean;
  reports: string;
}

export const usage = `npm run verify:cluster [-- options]

Applies the overlay dev to the cluster of KUBECONFIG, in a namespace of its own, and reports whether a rollout, a drained
node and the like fail a request. Needs kubectl, and images that the nodes can pull or have. Exit code 0: all promises held.
1: one was broken. 2: the run was not possible.

  --list              list the scenarios and their promises
  --only NAME[,NAME]  run only these scenarios
  --image NAME        image of the product, with tag or digest (default: holdfast:dev)
  --namespace NAME    deleted before and after the run (default: holdfast-verify)
  --address HOST:PORT where clients outside of the cluster find the api, such as the address of a gateway (default: a port
                      of the first node)
  --rate NUMBER       requests a second (default: 150)
  --lose-node COMMAND how a node is lost at once, with {node} for its name: docker pause {node}
  --return-node COMMAND  how it comes back: docker unpause {node}
  --keep              do not delete the namespace after the run
  --reports DIR       directory for verify-cluster.json and verify-cluster.html (default: reports)
  --help              show this text
`;

/** @throws UsageError */
export function parseOptions(args: string[], defaultReports: string): ClusterOptions {
  const { address, rate, ...options } = readRunOptions(args, {
    image: { type: 'string', default: 'holdfast:dev' },
    namespace: { type: 'string', default: 'holdfast-verify' },
    address: { type: 'string' },
    rate: { type: 'string', default: '150' },
    'lose-node': { type: 'string' },
    'return-node': { type: 'string' },
    keep: { type: 'boolean', default: false },
    reports: { type: 'string', default: defaultReports },
  });
  const { 'lose-node': loseNode, 'return-node': returnNode, ...others } = options;
  if (!/^[1-9]\d*$/.test(rate)) throw new UsageError(`--rate must be a whole number, not "${rate}"`);
  if ((loseNode === undefined) !== (returnNode === undefined))
    throw new UsageError('--lose-node and --return-node go together');
  return {
    ...others,
    loseNode,
    returnNode,
    rate: Number(rate),
    address: address ? addressOf(address) : undefined,
  };
}

/** @throws UsageError */
function addressOf(text: string): Address {
  const [, host, port] = /^(?:http:\/\/)?([^:/]+):(\d+)\/?$/.exec(text) ?? [];
  if (!host || !port) throw new UsageError(`--address must be HOST:PORT, not "${text}"`);
  return { host, port: Number(port) };
}
