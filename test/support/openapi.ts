import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import formats from 'ajv-formats';
import type { Answer } from './server.js';

interface Media {
  schema?: object;
}

interface Operation {
  operationId: string;
  security?: object[];
  requestBody?: { content: Record<string, Media> };
  responses: Record<string, { headers?: Record<string, { required?: boolean }>; content?: Record<string, Media> }>;
}

export interface OpenApiDocument {
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: Record<string, { properties?: object; additionalProperties?: unknown }> };
}

export interface DocumentedOperation extends Operation {
  method: string;
  /** With its parameters: `/tasks/{id}`. */
  path: string;
}

export function operationsOf(document: OpenApiDocument): DocumentedOperation[] {
  return Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ ...operation, method: method.toUpperCase(), path })),
  );
}

/**
 * Holds answers and requests against the document, more strictly than clients need to: a field that an answer has and
 * the document has not is an error, too, and times are RFC 3339 in UTC with milliseconds.
 */
export class OpenApiChecker {
  /** Operations and statuses that were answered: `tasks_create 201`. */
  readonly seen = new Set<string>();
  private readonly ajv = new Ajv2020({ allErrors: true, allowUnionTypes: true });

  constructor(document: OpenApiDocument) {
    formats.default(this.ajv);
    this.ajv.addFormat('date-time', /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    this.ajv.addVocabulary(['example']);
    const schemas = structuredClone(document.components.schemas);
    for (const schema of Object.values(schemas)) if (schema.properties) schema.additionalProperties ??= false;
    this.ajv.addSchema({ $id: 'document', $defs: withLocalReferences(schemas, '#/$defs/') });
  }

  /** What is wrong with an answer; empty when it is as documented. */
  answerProblems(operation: DocumentedOperation, { status, headers, body }: Answer): string[] {
    const name = `${operation.operationId} ${status}`;
    this.seen.add(name);
    const documented = operation.responses[status];
    if (!documented) return [`${name}: this status is not documented`];
    const promised = Object.entries(documented.headers ?? {}).filter(([, { required }]) => required);
    const missing = promised.map(([header]) => header).filter((header) => !headers.has(header));
    const problems = missing.map((header) => `${name}: the promised header ${header} is missing`);
    if (!documented.content) return body === '' ? problems : [...problems, `${name}: a body is not documented`];
    const type = headers.get('content-type')?.split(';')[0] ?? '';
    const media = documented.content[type];
    if (!media) return [...problems, `${name}: the content type ${type} is not documented`];
    return [...problems, ...this.schemaProblems(media, body).map((problem) => `${name}: ${problem}`)];
  }

  /** What the document says against a request body. */
  requestProblems(operation: DocumentedOperation, body: unknown): string[] {
    return this.schemaProblems(operation.requestBody?.content['application/json'] ?? {}, body);
  }

  private schemaProblems({ schema }: Media, value: unknown): string[] {
    if (!schema) return ['there is no schema'];
    const validate = this.compile(schema);
    return validate(value)
      ? []
      : (validate.errors ?? []).map(({ instancePath, message, params }) => `${instancePath} ${message} ${JSON.stringify(params)}`);
  }

  private compile(schema: object): ValidateFunction {
    return this.ajv.compile(withLocalReferences(schema, 'document#/$defs/'));
  }
}

/** JSON Schema knows no `components`. */
function withLocalReferences(schema: object, place: string): object {
  return JSON.parse(JSON.stringify(schema).replaceAll('"#/components/schemas/', `"${place}`)) as object;
}
