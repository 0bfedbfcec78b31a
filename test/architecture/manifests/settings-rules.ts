import type { IContainer } from 'kubernetes-models/v1';
import { ConfigurationError, loadSettings, PLACEHOLDER } from '../../../src/config/index.js';
import { PRODUCT } from '../../../src/product.js';
import { settings } from '../containers.js';
import type { Cluster, Pod } from './cluster.js';
import type { Rule } from './pod-rules.js';

/** Variables that are not the product's: of Node, and of OpenTelemetry's exporter. */
const NOT_OURS = /^(NODE_OPTIONS|OTEL_(EXPORTER_OTLP_\w+|SERVICE_NAME|RESOURCE_ATTRIBUTES))$/;

const secretSettings = settings.filter(({ secret }) => secret);

/** A value as a team would keep it for production. */
function sampleOf(name: string): string {
  const accepts = settings.find((setting) => setting.name === name)?.accepts ?? '';
  if (accepts.includes('postgresql://'))
    return 'postgresql://someone:something@database.example.com:5432/x?sslmode=verify-full';
  if (accepts.includes('rediss://')) return 'rediss://:something@redis.example.com:6379';
  if (accepts.includes('smtps://')) return 'smtps://someone:something@mail.example.com:465';
  if (accepts.includes('https://')) return 'https://service.example.com';
  return 'a-sample-of-a-secret-that-is-long-enough-for-all';
}

/** The key of the mounted Secret that a path leads to, or what is wrong with the path. */
function keyAt(
  path: string,
  { volumeMounts = [] }: IContainer,
  { spec }: Pod,
): { secret: string; key: string } | string {
  const mount = volumeMounts.find(({ mountPath }) => path.startsWith(`${mountPath}/`));
  const volume = spec.volumes?.find(({ name }) => name === mount?.name);
  const secret = volume?.secret?.secretName;
  return mount && secret !== undefined
    ? { secret, key: path.slice(mount.mountPath.length + 1) }
    : `${path} is in no mounted Secret`;
}

/** The environment of a container with the values of its secrets, and what is wrong with the way they get there. */
export function resolved(
  cluster: Cluster,
  pod: Pod,
  container: IContainer,
): { environment: Record<string, string>; problems: string[] } {
  const environment = cluster.environmentOf(container);
  const problems: string[] = [];
  for (const { name } of secretSettings) {
    const path = environment[`${name}_FILE`];
    if (path === undefined) continue;
    delete environment[`${name}_FILE`];
    const place = keyAt(path, container, pod);
    if (typeof place === 'string') {
      problems.push(`${name}_FILE: ${place}`);
      continue;
    }
    const data = cluster.dataOf('Secret', place.secret);
    if (data && !(place.key in data))
      problems.push(`${name}_FILE: the Secret ${place.secret} has no ${place.key}`);
    environment[name] = data?.[place.key] || sampleOf(name);
  }
  return { environment, problems };
}

/** What the product itself says about the environment that it gets. */
export const environment: Rule = (cluster) => {
  const known = new Set(settings.flatMap(({ name, secret }) => (secret ? [name, `${name}_FILE`] : [name])));
  return cluster.pods
    .filter(({ isProduct }) => isProduct)
    .flatMap((pod) =>
      pod.containers.flatMap((container) => {
        const at = `${pod.owner}, container ${container.name}`;
        const unknown = Object.keys(cluster.environmentOf(container)).filter(
          (name) => !known.has(name) && !NOT_OURS.test(name),
        );
        const { environment: values, problems } = resolved(cluster, pod, container);
        return [
          ...unknown.map((name) => `${at}: there is no setting ${name}`),
          ...problems.map((problem) => `${at}: ${problem}`),
          ...problemsOf({ NODE_ENV: 'production', ...values }).map((problem) => `${at}: ${problem}`),
        ];
      }),
    );
};

function problemsOf(values: Record<string, string>): string[] {
  try {
    loadSettings(values, PRODUCT);
    return [];
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    return error.problems;
  }
}

/** Secrets are in Secrets, and none of a real one is in the repository. */
export const secrets: Rule = (cluster) => [
  ...cluster.all('ConfigMap').flatMap(({ metadata }) =>
    Object.keys(cluster.dataOf('ConfigMap', metadata.name) ?? {})
      .filter((name) => secretSettings.some((setting) => setting.name === name))
      .map((name) => `ConfigMap ${metadata.name}: ${name} is a secret`),
  ),
  ...cluster.pods.flatMap(({ owner, containers }) =>
    containers.flatMap(({ env = [] }) =>
      env
        .filter(
          ({ name, value }) => value !== undefined && secretSettings.some((setting) => setting.name === name),
        )
        .map(({ name }) => `${owner}: ${name} is a secret`),
    ),
  ),
  ...cluster.all('Secret').flatMap(({ metadata }) =>
    Object.entries(cluster.dataOf('Secret', metadata.name) ?? {})
      .filter(
        ([, value]) => value !== '' && !value.includes(PLACEHOLDER) && !/^\w+:\/\/[\w.-]+:\d+$/.test(value),
      )
      .map(([key]) => `Secret ${metadata.name}: ${key} is no placeholder`),
  ),
];
