import { ApiProperty } from '@nestjs/swagger';
import { registerDecorator, ValidateIf, type ValidationArguments } from 'class-validator';
import { plainJsonError } from '../input/plain-json.js';
import { Raw } from '../input/validate.js';
import type { Json, JsonObject } from '../tasks/task.js';
import type { WorkerLease } from './worker.js';

/*
 * What workers send by the hundred, checked by hand: class-validator takes 50 µs for each.
 */

export interface ReportItem {
  lease: WorkerLease;
  progress?: number;
  progress_message?: string;
  checkpoint?: JsonObject;
}
export interface CompleteItem {
  lease: WorkerLease;
  result?: Json;
}
export interface FailItem {
  lease: WorkerLease;
  code?: string;
  message?: string;
  retryable?: boolean;
  retry_after_seconds?: number;
}
export interface LineItem {
  lease: WorkerLease;
  level?: 'debug' | 'info' | 'warn' | 'error';
  /** Absent is empty: an empty text is not on gRPC's wire. */
  message?: string;
  data?: JsonObject;
}

/** What is wrong with an item, as "FIELD must be …"; nothing when it is right. */
type ProblemOf = (item: unknown) => string | undefined;

const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const smallJson = { maxBytes: 64 * 1024, maxDepth: 32 };
const levels: unknown[] = ['debug', 'info', 'warn', 'error'];

type Shape = Record<string, unknown>;

function isShape(item: unknown): item is Shape {
  return typeof item === 'object' && item !== null && !Array.isArray(item);
}

export const leaseProblem: ProblemOf = (item) => {
  if (!isShape(item)) return 'must be a lease: {task_id, attempt, lease_token}';
  if (typeof item.task_id !== 'string' || !uuid.test(item.task_id)) return 'task_id must be a task id';
  if (!Number.isInteger(item.attempt) || (item.attempt as number) < 1 || (item.attempt as number) > 2 ** 31 - 1) {
    return 'attempt must be a whole number from 1';
  }
  if (typeof item.lease_token !== 'string' || !uuid.test(item.lease_token)) return 'lease_token must be the one that came with the task';
  return undefined;
};

/** `known`: the fields beside the lease, each with what makes it right. */
function withLease(known: Record<string, ProblemOf>): ProblemOf {
  const names = Object.keys(known);
  return (item) => {
    if (!isShape(item)) return 'must be a JSON object';
    const problem = leaseProblem(item.lease);
    if (problem) return `lease.${problem}`;
    for (const name of names) {
      const wrong = item[name] === undefined || item[name] === null ? undefined : known[name]!(item[name]);
      if (wrong) return `${name} ${wrong}`;
    }
    const unknown = Object.keys(item).find((key) => key !== 'lease' && !names.includes(key));
    return unknown === undefined ? undefined : `${unknown.slice(0, 100)} is not a known field; accepted are lease, ${names.join(', ')}`;
  };
}

const text =
  (max: number): ProblemOf =>
  (value) =>
    typeof value === 'string' && value.length <= max ? undefined : `must be text of at most ${max.toLocaleString('en')} characters`;
const json =
  (name: string): ProblemOf =>
  (value) => {
    if (!isShape(value)) return 'must be a JSON object';
    return plainJsonError(value, name, smallJson)?.message;
  };
const number =
  (min: number, max: number): ProblemOf =>
  (value) =>
    typeof value === 'number' && value >= min && value <= max ? undefined : `must be a number from ${min} to ${max}`;

export const reportProblem = withLease({ progress: number(0, 100), progress_message: text(1_000), checkpoint: json('checkpoint') });

/** What a result may be is judged when it is stored: one that cannot be stored is the attempt's failure, not the message's. */
export const completeProblem = withLease({ result: () => undefined });

export const failProblem = withLease({
  code: (value) =>
    typeof value === 'string' && /^[A-Z][A-Z0-9_]{0,99}$/.test(value) ? undefined : 'must be UPPER_SNAKE_CASE, at most 100 characters',
  message: (value) => (typeof value === 'string' ? undefined : 'must be text'),
  retryable: (value) => (typeof value === 'boolean' ? undefined : 'must be true or false'),
  retry_after_seconds: number(0, 604_800),
});

export const lineProblem = withLease({
  level: (value) => (levels.includes(value) ? undefined : `must be one of ${levels.join(', ')}`),
  message: text(10_000),
  data: json('data'),
});
/** A list of items that `problemOf` finds nothing wrong with; the message tells of the first that it does. */
export function Items(problemOf: ProblemOf, max: number, description: string): PropertyDecorator {
  const firstProblem = (value: unknown): string | undefined => {
    if (!Array.isArray(value) || value.length > max) return `must be a list of at most ${max.toLocaleString('en')}`;
    for (const [index, item] of value.entries()) {
      const problem = problemOf(item);
      if (problem) return `is not valid at [${index}]: ${problem}`;
    }
    return undefined;
  };
  return (target, key) => {
    ApiProperty({ type: 'array', items: { type: 'object' }, required: false, maxItems: max, description })(target, key);
    ValidateIf((_, value: unknown) => value !== undefined && value !== null)(target, key);
    Raw()(target, key);
    registerDecorator({
      name: 'items',
      target: target.constructor,
      propertyName: key as string,
      options: { message: ({ value }: ValidationArguments) => firstProblem(value) ?? 'is not valid' },
      validator: { validate: (value: unknown) => firstProblem(value) === undefined },
    });
  };
}

/** One lease, of what is sent by itself. */
export function LeaseField(): PropertyDecorator {
  return (target, key) => {
    ApiProperty({ type: 'object', additionalProperties: true, description: 'As it came with the task.' })(target, key);
    Raw()(target, key);
    registerDecorator({
      name: 'lease',
      target: target.constructor,
      propertyName: key as string,
      options: { message: ({ value }: ValidationArguments) => `is not valid: ${leaseProblem(value) ?? ''}` },
      validator: { validate: (value: unknown) => leaseProblem(value) === undefined },
    });
  };
}
