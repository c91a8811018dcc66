import { isUtf8 } from 'node:buffer';
import { CodedError } from '../errors/coded-error.js';

/** The JSON of a body; an empty body is `undefined`, as many clients send the content type with every POST. */
export function parseJsonBody(body: Buffer): unknown {
  if (body.length === 0) return undefined;
  if (!isUtf8(body)) throw new CodedError('MALFORMED_REQUEST', 'The body is not valid UTF-8.');
  const text = body.toString('utf8');
  try {
    // A byte order mark is not JSON, but some editors and clients write one.
    return JSON.parse(text.startsWith('\uFEFF') ? text.slice(1) : text);
  } catch (error) {
    throw new CodedError('MALFORMED_REQUEST', `The body is not valid JSON: ${(error as SyntaxError).message}.`, [], { cause: error });
  }
}
