import addFormats from 'ajv-formats';
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';

interface Content {
  schema?: object;
}

interface ResponseObject {
  headers?: Record<string, { required?: boolean; schema?: object }>;
  content?: Record<string, Content>;
}

interface Parameter {
  name: string;
  in: 'path' | 'query' | 'header';
  required?: boolean;
}

export interface Operation {
  id: string;
  method: string;
  /** As in the document: `/v1/users/{id}`. */
  path: string;
  parameters: Parameter[];
  /** Schema of the JSON body it takes. */
  body?: object;
  needsCaller: boolean;
  responses: Record<string, ResponseObject>;
}

export interface OpenApiDocument {
  openapi: string;
  paths: Record<string, Record<string, unknown>>;
  components: { schemas: Record<string, Record<string, unknown>> };
}

/** One request and what came back. */
export interface Exchange {
  method: string;
  /** With query string. */
  path: string;
  requestHeaders: Record<string, string>;
  requestBody?: unknown;
  status: number;
  headers: Headers;
  text: string;
}

/** Holds answers against an OpenAPI 3.1 document, and remembers which of its promises have been seen. */
export class Conformance {
  readonly operations: Operation[];
  /** `getOrder 404` for each operation and status that was seen. */
  readonly seen = new Set<string>();
  private readonly ajv = addFormats.default(new Ajv2020({ strict: true, allErrors: true }));

  constructor(document: OpenApiDocument) {
    // Of JSON Schema's superset in OpenAPI 3.1; anything else that the schemas use has no meaning in it.
    for (const keyword of ['example', 'discriminator', 'xml', 'externalDocs']) this.ajv.addKeyword(keyword);
    // Ajv knows it from OpenAPI 3.0; in 3.1 it says nothing, and a client that reads the document would refuse null.
    this.ajv.removeKeyword('nullable');
    const { paths, components } = closed(document);
    for (const [name, schema] of Object.entries(components.schemas))
      this.ajv.addSchema(schema, `schemas:${name}`);
    this.operations = Object.entries(paths).flatMap(([path, item]) =>
      Object.entries(item).map(([method, operation]) => operationOf(path, method, operation as object)),
    );
  }

  /** Messages of the schemas of the document that are not valid. */
  invalidSchemas(): string[] {
    return this.operations.flatMap(({ id, body, responses }) => {
      const answers = Object.entries(responses).flatMap(([status, { content = {} }]) =>
        Object.entries(content).map(([type, { schema }]) => ({ place: `${status} ${type}`, schema })),
      );
      return [...(body ? [{ place: 'request', schema: body }] : []), ...answers].flatMap(
        ({ place, schema }) => {
          try {
            this.validator(schema);
            return [];
          } catch (error) {
            return [`${id} ${place}: ${(error as Error).message}`];
          }
        },
      );
    });
  }

  /** What an exchange has that the document does not allow, in words. */
  problemsOf(exchange: Exchange): string[] {
    const { method, path, status } = exchange;
    const where = `${method} ${path} -> ${status}`;
    const operation = this.find(method, path);
    if (!operation) return [`${where}: no operation of the document is this`];
    const response = operation.responses[String(status)];
    if (!response) return [`${where}: ${operation.id} does not document this status`];
    this.seen.add(`${operation.id} ${status}`);
    return [
      ...missingHeaders(response, exchange.headers),
      ...this.bodyProblems(response, exchange),
      ...(status < 300 ? this.requestProblems(operation, exchange) : []),
    ].map((problem) => `${where}: ${problem}`);
  }

  find(method: string, path: string): Operation | undefined {
    const [pathname = ''] = path.split('?', 1);
    const matching = this.operations.filter(
      (operation) => operation.method === method.toLowerCase() && patternOf(operation.path).test(pathname),
    );
    // `/v1/users/me` before `/v1/users/{id}`, as the router does.
    return matching.toSorted(
      (a, b) => a.parameters.filter(inPath).length - b.parameters.filter(inPath).length,
    )[0];
  }

  private bodyProblems({ content }: ResponseObject, { headers, text }: Exchange): string[] {
    if (!content)
      return text === '' ? [] : [`has a body, of which the document knows nothing: ${text.slice(0, 200)}`];
    const [type = ''] = (headers.get('content-type') ?? '').split(';');
    const documented = content[type];
    if (!documented) return [`comes as ${type || 'nothing'} and not as ${Object.keys(content).join(' or ')}`];
    return /[/+]json$/.test(type) ? this.schemaProblems(documented.schema, JSON.parse(text)) : [];
  }

  /** A request that succeeds must be one that the document allows, too. */
  private requestProblems({ parameters, body }: Operation, exchange: Exchange): string[] {
    const query = new URL(exchange.path, 'http://localhost').searchParams;
    const known = new Set(parameters.filter((parameter) => parameter.in === 'query').map(({ name }) => name));
    const sent = new Set(Object.keys(exchange.requestHeaders).map((name) => name.toLowerCase()));
    const missing = parameters.filter(
      ({ required, in: place, name }) => required && place === 'header' && !sent.has(name.toLowerCase()),
    );
    const forbidden = body ? this.schemaProblems(body, exchange.requestBody) : [];
    return [
      ...[...query.keys()]
        .filter((name) => !known.has(name))
        .map((name) => `succeeds with the undocumented parameter ${name}`),
      ...missing.map(({ name }) => `succeeds without the header ${name}, which is documented as required`),
      ...forbidden.map((problem) => `succeeds with a request that the document forbids: ${problem}`),
    ];
  }

  private schemaProblems(schema: object | undefined, value: unknown): string[] {
    const validate = this.validator(schema);
    if (validate(value)) return [];
    return (validate.errors ?? []).map(
      ({ instancePath, message, params }) => `${instancePath || '/'} ${message} ${JSON.stringify(params)}`,
    );
  }

  private validator(schema: object = {}): ValidateFunction {
    // Ajv remembers what it has compiled by the schema object.
    return this.ajv.compile(schema);
  }
}

function operationOf(path: string, method: string, raw: object): Operation {
  const { operationId, parameters, requestBody, security, responses } = raw as {
    operationId: string;
    parameters?: Parameter[];
    requestBody?: { content: Record<string, Content> };
    security?: object[];
    responses: Record<string, ResponseObject>;
  };
  return {
    id: operationId,
    method,
    path,
    parameters: parameters ?? [],
    body: requestBody?.content['application/json']?.schema,
    needsCaller: (security ?? []).length > 0,
    responses,
  };
}

function missingHeaders({ headers = {} }: ResponseObject, sent: Headers): string[] {
  return Object.entries(headers).flatMap(([name, { required }]) =>
    required && !sent.has(name) ? [`lacks the header ${name}`] : [],
  );
}

function inPath(parameter: Parameter): boolean {
  return parameter.in === 'path';
}

function patternOf(path: string): RegExp {
  return new RegExp(`^${path.replaceAll(/\{[^}]+\}/g, '[^/]+')}$`);
}

/**
 * The document with references that Ajv finds, and with every object closed, so that a member it does not name is seen.
 * Problem documents stay open: they may be extended (RFC 9457 section 3.2). They are the only `allOf`.
 */
function closed(document: OpenApiDocument): OpenApiDocument {
  const copy = JSON.parse(
    JSON.stringify(document).replaceAll('"#/components/schemas/', '"schemas:'),
  ) as OpenApiDocument;
  const { Problem: _open, ...schemas } = copy.components.schemas;
  close(copy.paths);
  close(schemas);
  return copy;
}

function close(node: unknown): void {
  if (typeof node !== 'object' || node === null) return;
  const schema = node as Record<string, unknown>;
  if (schema.type === 'object' && schema.properties) schema.additionalProperties ??= false;
  for (const [name, child] of Object.entries(schema)) if (name !== 'allOf') close(child);
}
