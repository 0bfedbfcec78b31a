import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { DocumentBuilder, SwaggerModule, type OpenAPIObject } from '@nestjs/swagger';
import type { FastifyInstance, RouteOptions } from 'fastify';
import type { Settings } from '../../../config/index.js';
import { problemFormat } from '../problems/problem-format.js';
import { announceDeprecation, deprecationOf } from '../routes/deprecated.js';
import { completeProblems, type Operation } from './problem-responses.js';

type Schema = Record<string, unknown>;
type SecurityScheme = Parameters<DocumentBuilder['addSecurity']>[1];

/** The OpenAPI 3.1 document of the application, made from the decorators on controllers and DTOs. */
export function createOpenApiDocument(
  app: NestFastifyApplication,
  { app: { title, description }, http: { authScheme } }: Pick<Settings, 'app' | 'http'>,
): OpenAPIObject {
  const config = new DocumentBuilder()
    .setTitle(title)
    .setDescription(description)
    .setVersion('1')
    .setOpenAPIVersion('3.1.0')
    // Relative to the document, so that a proxy may serve the API below any path.
    .addServer('.')
    .addSecurity('bearer', authorization(authScheme))
    .build();
  const document = SwaggerModule.createDocument(app, config, {
    extraModels: [problemFormat().model],
    operationIdFactory: (controller, method) => `${controller.replace(/Controller$/, '')}_${method}`,
  });
  for (const item of Object.values(document.paths)) {
    for (const operation of Object.values(item as Record<string, Operation>)) {
      completeProblems(operation);
      // What is not said would leave open whether the route needs a caller.
      operation.security ??= [];
      if (deprecationOf(operation)) operation.deprecated = true;
    }
  }
  return document;
}

/** OpenAPI's `http` schemes are those that IANA has registered; any other scheme is documented as a header. */
function authorization(scheme: string): SecurityScheme {
  if (scheme.toLowerCase() === 'bearer') return { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' };
  return { type: 'apiKey', in: 'header', name: 'Authorization', description: `\`${scheme} <accessToken>\`` };
}

/**
 * Gives every route the response schema of its operation, so that Fastify compiles a serialiser for it: answers match the
 * documentation, undocumented members cannot leak, and it is faster than `JSON.stringify`. Call it before the routes are
 * registered (`app.init()`).
 */
export function serialiseAsDocumented(fastify: FastifyInstance, document: OpenAPIObject): void {
  const schemas = (document.components?.schemas ?? {}) as Record<string, Schema>;
  for (const [name, schema] of Object.entries(schemas)) {
    fastify.addSchema({ $id: name, ...localise(schema) });
  }
  fastify.addHook('onRoute', (route) => {
    const operation = operationOf(document, route);
    if (!operation) return;
    const deprecation = deprecationOf(operation);
    if (deprecation) announceDeprecation(route, deprecation);
    const successes = Object.entries(operation.responses).filter(([status]) => status.startsWith('2'));
    const produces = successes.flatMap(([, { content }]) => Object.keys(content ?? {}));
    if (produces.length > 0) route.config = { ...route.config, produces } as RouteOptions['config'];
    const response = Object.fromEntries(
      successes.flatMap(([status, { content }]) => {
        const schema = content?.['application/json']?.schema;
        return schema ? [[status, localise(schema)]] : [];
      }),
    );
    if (Object.keys(response).length > 0) route.schema = { ...route.schema, response };
  });
}

function operationOf(document: OpenAPIObject, route: RouteOptions): Operation | undefined {
  const path = document.paths[route.url.replace(/:([^/]+)/g, '{$1}')] as
    Record<string, Operation> | undefined;
  const [method] = [route.method].flat();
  return path?.[method === 'HEAD' ? 'get' : (method ?? '').toLowerCase()];
}

/** `#/components/schemas/X` is `X#` among the schemas that Fastify knows. */
function localise(schema: Schema): Schema {
  return JSON.parse(
    JSON.stringify(schema).replaceAll(/"#\/components\/schemas\/([^"]+)"/g, '"$1#"'),
  ) as Schema;
}
