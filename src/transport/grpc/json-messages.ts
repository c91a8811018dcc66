import protobuf from 'protobufjs';
import type { Json, JsonObject } from '../../tasks/task.js';

/*
 * google.protobuf.Struct and Value as the JSON that they stand for, so that nothing behind the gRPC door knows of them:
 * protobufjs has wrappers for well-known types, and @grpc/proto-loader uses them. Import this before any proto is loaded.
 */

/** A field of type Value is filled with one of these: protobufjs takes nothing but objects for messages. */
export class JsonValue {
  constructor(readonly value: Json) {}
}

/** Exactly one of them is set. */
interface ValueMessage {
  nullValue?: number;
  numberValue?: number;
  stringValue?: string;
  boolValue?: boolean;
  structValue?: StructMessage;
  listValue?: ListMessage;
}
interface StructMessage {
  fields?: Record<string, ValueMessage>;
}
interface ListMessage {
  values?: ValueMessage[];
}

function toValue(json: Json): ValueMessage {
  switch (typeof json) {
    case 'string':
      return { stringValue: json };
    case 'number':
      return { numberValue: json };
    case 'boolean':
      return { boolValue: json };
    default:
      if (json === null) return { nullValue: 0 };
      return Array.isArray(json) ? { listValue: { values: json.map(toValue) } } : { structValue: toStruct(json) };
  }
}

function toStruct(json: JsonObject): StructMessage {
  return { fields: Object.fromEntries(Object.entries(json).map(([key, child]) => [key, toValue(child)])) };
}

function fromValue(message: ValueMessage): Json {
  // The prototype has defaults of all kinds; the one that was sent is the message's own.
  if (Object.hasOwn(message, 'stringValue')) return message.stringValue!;
  if (Object.hasOwn(message, 'numberValue')) return message.numberValue!;
  if (Object.hasOwn(message, 'boolValue')) return message.boolValue!;
  if (Object.hasOwn(message, 'structValue')) return fromStruct(message.structValue!);
  if (Object.hasOwn(message, 'listValue')) return (message.listValue!.values ?? []).map(fromValue);
  return null;
}

function fromStruct({ fields = {} }: StructMessage): JsonObject {
  // fromEntries makes "__proto__" a key like any other; the input pipe then refuses it by name.
  return Object.fromEntries(Object.entries(fields).map(([key, child]) => [key, fromValue(child)]));
}

/** Of messages in each other. JSON takes three a level, and what is too deep is refused by name, not as a message that cannot be read. */
for (const part of [protobuf.util, protobuf.Reader]) (part as unknown as { recursionLimit: number }).recursionLimit = 1_000;

interface Wrapper {
  fromObject(object: object): object;
  toObject(message: object): unknown;
}
const wrappers = protobuf.wrappers as unknown as Record<string, Wrapper>;

wrappers['.google.protobuf.Struct'] = {
  fromObject: (json) => toStruct(json as JsonObject),
  toObject: (message) => fromStruct(message),
};
wrappers['.google.protobuf.Value'] = {
  fromObject: (json) => toValue(json instanceof JsonValue ? json.value : (json as JsonObject)),
  toObject: (message) => fromValue(message),
};
