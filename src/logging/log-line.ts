/** Levels by their numbers in a line. */
export const logLevels = { trace: 10, debug: 20, info: 30, warn: 40, error: 50, fatal: 60 } as const;
export type LogLevel = keyof typeof logLevels;
export const levelNames = Object.keys(logLevels) as LogLevel[];

/** A line as it is stored, without the name of its replica. */
export interface LogLine {
  at: string;
  /** Its number. */
  level: number;
  msg: string;
  request_id: string | null;
  trace_id: string | null;
  task_id: string | null;
  /** JSON of all other fields. */
  fields: string;
}

const maxMessage = 4_096;
const maxId = 100;
const maxFieldsBytes = 8 * 1024;
/** What is left of a text in fields that are too large. */
const cutText = 1_024;

/** Takes a finished line apart. What is too large is cut; what PostgreSQL cannot hold (NUL, halves of characters) is replaced. */
export function readLine(line: string): LogLine {
  const { level, time, msg, request_id, trace_id, task_id, ...fields } = parsed(line);
  return {
    at: typeof time === 'string' && !Number.isNaN(Date.parse(time)) ? time : new Date().toISOString(),
    level: typeof level === 'number' ? level : logLevels.info,
    msg: text(msg, maxMessage) ?? '',
    request_id: text(request_id, maxId),
    trace_id: text(trace_id, maxId),
    task_id: text(task_id, maxId),
    fields: boundedFields(fields),
  };
}

function parsed(line: string): Record<string, unknown> {
  try {
    return JSON.parse(line, storable) as Record<string, unknown>;
  } catch {
    return { level: logLevels.warn, msg: 'A line that is nested too deeply was left out' };
  }
}

function storable(_key: string, value: unknown): unknown {
  if (typeof value === 'string') return storableText(value);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  const entries = Object.entries(value);
  if (entries.every(([key]) => storableText(key) === key)) return value;
  return Object.fromEntries(entries.map(([key, child]) => [storableText(key), child]));
}

function storableText(value: string): string {
  return value.toWellFormed().replaceAll('\0', '\ufffd');
}

function text(value: unknown, max: number): string | null {
  if (value === undefined || value === null) return null;
  return cut(typeof value === 'string' ? value : JSON.stringify(value), max);
}

function cut(value: string, max: number): string {
  return value.length > max ? `${value.slice(0, max - 1).toWellFormed()}…` : value;
}

function boundedFields(fields: Record<string, unknown>): string {
  const whole = JSON.stringify(fields);
  if (Buffer.byteLength(whole) <= maxFieldsBytes) return whole;
  const shorter = JSON.stringify(fields, (_key, value: unknown) => (typeof value === 'string' ? cut(value, cutText) : value));
  if (Buffer.byteLength(shorter) <= maxFieldsBytes) return shorter;
  return JSON.stringify({ cut: cut(shorter, maxFieldsBytes / 4) });
}
