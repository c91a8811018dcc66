import type { JsonLimits } from '../json.js';

/*
 * What the server takes. Whatever is larger would end the stream with an error for all that the worker runs, so it is refused or cut here.
 */

/** Leases of one message, and so what a worker may hold. */
export const maxLeases = 10_000;
/** Results of one Settle, of each kind. */
export const maxResults = 1_000;
/** Lines of one Log. */
export const maxLines = 1_000;
/** Lines that wait for a connection; a handler that logs faster loses the newest. */
export const maxWaitingLines = 20_000;

/**
 * The server stores 64 levels, but an object in google.protobuf.Value takes three messages for each level, and readers of protobuf give
 * up after 100 messages: what is deeper ends the stream, and could not be read by most clients.
 */
export const resultLimits: JsonLimits = { bytes: 1024 * 1024, depth: 32 };
export const checkpointLimits: JsonLimits = { bytes: 64 * 1024, depth: 32 };
export const logDataLimits: JsonLimits = { bytes: 64 * 1024, depth: 32 };

export const maxProgressMessage = 1_000;
export const maxLogMessage = 10_000;
export const maxErrorMessage = 4_000;

/** The server takes messages of 8 MiB; this leaves room for the leases of the largest of them. */
export const maxWeight = 6.5 * 1024 * 1024;

/** Bytes that JSON text may take as google.protobuf.Value: 5.5 times as many for a list of digits, the worst there is. */
export function weightOfJson(bytes: number): number {
  return bytes * 6;
}

/** Bytes that text may take: UTF-8 has at most 3 for each unit of UTF-16. */
export function weightOfText(text: string | undefined): number {
  return text === undefined ? 0 : text.length * 3;
}
