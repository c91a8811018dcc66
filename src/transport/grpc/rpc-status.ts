import { Metadata, type StatusObject } from '@grpc/grpc-js';
import protobuf from 'protobufjs';
import { errorCodes } from '../../errors/error-codes.js';
import type { Problem } from '../problem.js';

/** Metadata has a common limit of 8 KiB for all of it; who has more bad fields than fit learns of the others in the next try. */
const maxDetailsBytes = 4_096;
const maxMessageLength = 1_000;

const string = (id: number) => ({ type: 'string', id });

/** The messages of google/rpc/status.proto and error_details.proto that are sent. Field numbers are those of googleapis. */
const root = protobuf.Root.fromJSON({
  nested: {
    Any: { fields: { type_url: string(1), value: { type: 'bytes', id: 2 } } },
    Status: { fields: { code: { type: 'int32', id: 1 }, message: string(2), details: { rule: 'repeated', type: 'Any', id: 3 } } },
    ErrorInfo: { fields: { reason: string(1), domain: string(2) } },
    BadRequest: { fields: { field_violations: { rule: 'repeated', type: 'FieldViolation', id: 1 } } },
    FieldViolation: { fields: { field: string(1), description: string(2) } },
    RequestInfo: { fields: { request_id: string(1) } },
  },
});

function encode(type: string, message: object): Uint8Array {
  return root.lookupType(type).encode(message).finish();
}

function detail(type: string, message: object): { type_url: string; value: Uint8Array } {
  return { type_url: `type.googleapis.com/google.rpc.${type}`, value: encode(type, message) };
}

/**
 * A problem as the status of a call. `grpc-status-details-bin` holds a google.rpc.Status with an ErrorInfo (`reason` is our code),
 * a BadRequest when fields are not valid, and a RequestInfo.
 */
export function toRpcStatus({ code, detail: sentence, errors = [], request_id }: Problem): Partial<StatusObject> {
  const number = errorCodes[code].grpc;
  const message = sentence.length > maxMessageLength ? `${sentence.slice(0, maxMessageLength)}…` : sentence;
  const details = [
    detail('ErrorInfo', { reason: code, domain: 'arkitect' }),
    ...(request_id === undefined ? [] : [detail('RequestInfo', { request_id })]),
  ];
  const violations = fitting(errors.map(({ field, message: description }) => ({ field, description })));
  if (violations.length) details.push(detail('BadRequest', { field_violations: violations }));
  const metadata = new Metadata();
  metadata.set('grpc-status-details-bin', Buffer.from(encode('Status', { code: number, message, details })));
  return { code: number, details: message, metadata };
}

function fitting<T extends object>(violations: T[]): T[] {
  let bytes = 0;
  return violations.filter((violation) => (bytes += Buffer.byteLength(JSON.stringify(violation))) <= maxDetailsBytes);
}
