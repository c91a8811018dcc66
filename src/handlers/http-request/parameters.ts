import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { ArrayMaxSize, ArrayMinSize, IsArray, IsIn, IsInt, IsNumber, Matches, Max, Min, ValidateBy } from 'class-validator';
import type { Json, JsonObject } from '../../tasks/task.js';
import { Raw } from '../../input/validate.js';
import { headersProblem } from './request-headers.js';

export const methods = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'] as const;
export type Method = (typeof methods)[number];

/** `404`, or a class such as `"2xx"`. */
export type StatusPattern = number | string;

const mebibyte = 1024 * 1024;

/** Refuses a value for which `problem` gives a message; `parameters` are the others of the same task. */
function Check(name: string, problem: (value: unknown, parameters: HttpRequestParameters) => string | undefined): PropertyDecorator {
  return ValidateBy({
    name,
    validator: {
      validate: (value, args) => problem(value, args?.object as HttpRequestParameters) === undefined,
      defaultMessage: (args) => problem(args?.value, args?.object as HttpRequestParameters) ?? '',
    },
  });
}

// Optional fields have defaults rather than @IsOptional, which would let an explicit null pass.
export class HttpRequestParameters {
  @ApiProperty({
    description: 'Where to send the request: http or https, without user name or password.',
    example: 'https://example.com/hook',
    maxLength: 8192,
  })
  @Check('isRequestUrl', urlProblem)
  url: string;

  @ApiPropertyOptional({ description: 'The method.', enum: methods, default: 'GET', example: 'POST' })
  @IsIn(methods, { message: `must be one of ${methods.join(', ')}` })
  method: Method = 'GET';

  @ApiPropertyOptional({
    description: 'Headers to send. Host, Content-Length and those that steer the connection are set by the server and refused here.',
    type: 'object',
    additionalProperties: { type: 'string' },
    example: { authorization: 'Bearer …' },
  })
  @Check('isRequestHeaders', headersProblem)
  @Raw()
  headers: Record<string, string> = {};

  @ApiPropertyOptional({
    description: 'The body: text is sent as it is, an object or list as JSON. Not with GET or HEAD.',
    oneOf: [{ type: 'string' }, { type: 'object' }, { type: 'array', items: {} }],
    example: { order: 42 },
  })
  @Check('isRequestBody', bodyProblem)
  @Raw()
  body?: string | JsonObject | Json[];

  @ApiPropertyOptional({
    description: 'Seconds the whole exchange may take, redirects included.',
    minimum: 1,
    maximum: 300,
    default: 30,
    example: 10,
  })
  @IsNumber({}, { message: 'must be a number of seconds from 1 to 300' })
  @Min(1)
  @Max(300)
  timeout_seconds: number = 30;

  @ApiPropertyOptional({
    description: 'Bytes of response body above which the attempt fails. The result as a whole may be 1 MiB of JSON.',
    minimum: 0,
    maximum: 8 * mebibyte,
    default: mebibyte,
    example: 65536,
  })
  @IsInt({ message: 'must be a whole number of bytes' })
  @Min(0)
  @Max(8 * mebibyte)
  max_response_bytes: number = mebibyte;

  @ApiPropertyOptional({
    description: 'Statuses that complete the task: numbers, and classes such as "2xx".',
    type: 'array',
    items: { oneOf: [{ type: 'integer' }, { type: 'string' }] },
    default: ['2xx'],
    example: ['2xx', 404],
  })
  @IsArray({ message: 'must be a list' })
  @ArrayMinSize(1, { message: 'must name at least one status' })
  @ArrayMaxSize(50, { message: 'must name at most 50 statuses' })
  @Check('isStatusPatterns', statusesProblem)
  success_statuses: StatusPattern[] = ['2xx'];

  @ApiPropertyOptional({
    description: 'Redirects to follow; 0 gives the redirect itself as the response.',
    minimum: 0,
    maximum: 10,
    default: 5,
    example: 0,
  })
  @IsInt({ message: 'must be a whole number' })
  @Min(0)
  @Max(10)
  follow_redirects: number = 5;

  @ApiPropertyOptional({
    description: 'Names of the response headers to keep in the result.',
    type: [String],
    example: ['content-type', 'x-request-id'],
  })
  @IsArray({ message: 'must be a list' })
  @ArrayMaxSize(50, { message: 'must name at most 50 headers' })
  @Matches(/^[A-Za-z0-9][A-Za-z0-9_.-]{0,99}$/, { each: true, message: 'must hold header names only' })
  response_headers: string[] = ['content-type', 'content-encoding', 'content-length', 'etag', 'last-modified', 'location', 'retry-after'];
}

function urlProblem(value: unknown): string | undefined {
  const url = typeof value === 'string' && value.length <= 8192 ? URL.parse(value) : null;
  if (!url || (url.protocol !== 'http:' && url.protocol !== 'https:')) {
    return 'must be an http:// or https:// URL of at most 8192 characters';
  }
  if (url.username || url.password) return 'must not hold a user name or password; send an authorization header instead';
  return undefined;
}

function bodyProblem(value: unknown, { method }: HttpRequestParameters): string | undefined {
  if (value === undefined) return undefined;
  if (typeof value !== 'string' && (typeof value !== 'object' || value === null)) return 'must be text, a JSON object or a JSON list';
  return method === 'GET' || method === 'HEAD' ? `cannot be sent with ${method}; choose another method or leave it out` : undefined;
}

function statusesProblem(value: unknown): string | undefined {
  const fits = (item: unknown) =>
    typeof item === 'string' ? /^[1-5]xx$/.test(item) : Number.isInteger(item) && (item as number) >= 100 && (item as number) <= 599;
  return Array.isArray(value) && value.every(fits) ? undefined : 'must hold statuses from 100 to 599 and classes such as "2xx"';
}
