import { ApiProperty } from '@nestjs/swagger';
import { ArrayMaxSize, ArrayMinSize, IsArray, Matches, MaxLength, ValidateIf } from 'class-validator';
import { Decimal, Flag, Labels, namePattern, Whole } from '../input/fields.js';
import { Raw } from '../input/validate.js';
import type { Json } from '../tasks/task.js';
import { anyJson } from '../transport/openapi.js';
import {
  completeProblem,
  failProblem,
  Items,
  leaseProblem,
  LeaseField,
  lineProblem,
  reportProblem,
  type CompleteItem,
  type FailItem,
  type LineItem,
  type ReportItem,
} from './worker-items.js';
import type { WorkerLease } from './worker.js';

/*
 * What workers send, the same for gRPC messages and their HTTP twins. Lists of leases are checked by hand (worker-items.ts): they come
 * by the hundred, many times a second.
 */

/** Leases of one message. */
export const maxLeases = 10_000;
const maxResults = 1_000;
const maxLines = 1_000;

function optional(): PropertyDecorator {
  return ValidateIf((_, value: unknown) => value !== undefined && value !== null);
}

function all(target: object, key: string | symbol, ...rules: PropertyDecorator[]): void {
  for (const rule of rules) rule(target, key);
}

/** A name of a worker, or what tells its processes apart. */
function WorkerWord(min: number, description: string, example: string): PropertyDecorator {
  const message = `must be ${min} to 100 of a-z A-Z 0-9 . _ : -, beginning with a letter or digit`;
  return (target, key) =>
    all(
      target,
      key,
      ApiProperty({ type: String, minLength: min, maxLength: 100, description, example }),
      Matches(new RegExp(`^[A-Za-z0-9][A-Za-z0-9._:-]{${min - 1},99}$`), { message }),
    );
}

function Names(options: { min: number; description: string; example: string[] }): PropertyDecorator {
  const { min, description, example } = options;
  const message = `must be a list of ${min} to 100 names: lower-case letters, digits, and . _ : - inside`;
  return (target, key) =>
    all(
      target,
      key,
      ApiProperty({ type: [String], required: min > 0, description, example }),
      ...(min === 0 ? [optional()] : [ArrayMinSize(min, { message })]),
      IsArray({ message }),
      ArrayMaxSize(100, { message }),
      Matches(namePattern, { each: true, message }),
    );
}

/** Proof of holding a lease. */
export class LeaseView implements WorkerLease {
  @ApiProperty({ type: String, format: 'uuid', description: 'The task.', example: '0198f3c2-7d1e-7a55-9b5e-3f0c8a1d2e4b' })
  task_id: string;

  @ApiProperty({ type: 'integer', minimum: 1, description: 'Its attempt.', example: 1 })
  attempt: number;

  @ApiProperty({ type: String, format: 'uuid', description: 'Only the holder knows it.', example: 'b7e3f2a0-1c52-4b6e-8f0a-2d9c6e1f7a34' })
  lease_token: string;
}

/** Who a worker is and what it can do. */
export class ProfileDto {
  @WorkerWord(1, 'What people call it.', 'reports')
  name: string;

  @WorkerWord(8, 'Tells this process from others of the same name, and stays the same when it connects again.', '4c1f09d2b7aa')
  instance: string;

  @Names({ min: 1, description: 'Types that it has handlers for.', example: ['report.render'] })
  types: string[];

  @Names({ min: 0, description: 'Only tasks of these queues; none means all.', example: ['default'] })
  queues?: string[];

  @Labels({ optional: true, default: {}, description: 'About it, for people and lists.', example: { region: 'eu' } })
  labels?: Record<string, string>;

  @ApiProperty({ type: String, required: false, maxLength: 100, description: 'What it is made with.', example: 'arkitect-rust/0.1.0' })
  @optional()
  @MaxLength(100, { message: 'must be text of at most 100 characters' })
  @Matches(/^[\x20-\x7e]*$/, { message: 'must be printable ASCII' })
  sdk?: string;
}

function Slots(): PropertyDecorator {
  return Whole({ min: 1, max: maxLeases, description: 'Attempts it can run at the same time.', example: 10 });
}

export class HelloRpc extends ProfileDto {
  @Slots()
  slots: number;

  @Items(leaseProblem, maxLeases, 'What it still runs from before a broken stream.')
  in_flight?: WorkerLease[];
}

export class CreditRpc {
  @Whole({ min: 1, max: maxLeases, description: 'How many more tasks than before.' })
  slots: number;
}

export class LeasesRpc {
  @Items(leaseProblem, maxLeases, 'Which.')
  leases?: WorkerLease[];
}

/** A sign of life: what is not listed is not kept alive. */
export class BeatDto {
  @Items(
    reportProblem,
    maxLeases,
    'All that the worker runs, with progress (0 to 100), progress_message and checkpoint as far as they changed.',
  )
  leases?: ReportItem[];
}

/** Results of attempts. */
export class SettleDto {
  @Items(completeProblem, maxResults, 'Attempts that reached their end: {lease, result}.')
  complete?: CompleteItem[];

  @Items(failProblem, maxResults, 'Attempts that failed: {lease, code, message, retryable, retry_after_seconds}.')
  fail?: FailItem[];
}

export class CompleteDto implements CompleteItem {
  @LeaseField()
  lease: WorkerLease;

  @ApiProperty({ ...anyJson, required: false, description: 'Any JSON, at most 1 MiB and 32 levels deep.', example: { pages: 12 } })
  @ValidateIf(() => false)
  @Raw()
  result?: Json;
}

export class FailDto implements FailItem {
  @LeaseField()
  lease: WorkerLease;

  @ApiProperty({ type: String, required: false, pattern: '^[A-Z][A-Z0-9_]{0,99}$', default: 'HANDLER_ERROR', example: 'NO_SUCH_ROOM' })
  @optional()
  @Matches(/^[A-Z][A-Z0-9_]{0,99}$/, { message: 'must be UPPER_SNAKE_CASE, at most 100 characters' })
  code?: string;

  @ApiProperty({
    type: String,
    required: false,
    maxLength: 100_000,
    description: 'A sentence for people; what is longer than 4,000 characters is cut.',
  })
  @optional()
  @MaxLength(100_000, { message: 'must be text of at most 100,000 characters' })
  message?: string;

  @Flag({ optional: true, default: true, description: 'Whether another attempt could help.', example: false })
  retryable?: boolean;

  @Decimal({
    min: 0,
    max: 604_800,
    optional: true,
    description: "Seconds until the next attempt, instead of the task's backoff.",
    example: 60,
  })
  retry_after_seconds?: number;
}

export class SettleRpc extends SettleDto {
  @Whole({ min: 0, max: maxLeases, optional: true, description: 'Room for so many more tasks.' })
  credit?: number;

  @Whole({ min: 0, max: Number.MAX_SAFE_INTEGER, optional: true, description: 'Comes back in the answer.' })
  settle_id?: number;
}

/** Log lines of attempts. */
export class LogDto {
  @Items(lineProblem, maxLines, 'Lines, in order: {lease, level, message, data}.')
  lines?: LineItem[];
}

/** Asks for tasks: the worker, and how many it has room for. */
export class PollDto extends ProfileDto {
  @Whole({ min: 1, max: 100, optional: true, default: 1, description: 'At most so many tasks.', example: 1 })
  slots: number = 1;

  @Whole({ min: 0, max: 60, optional: true, default: 20, description: 'Answer without tasks after so many seconds.', example: 20 })
  wait_seconds: number = 20;
}

export class WorkerIdDto {
  @Matches(/^[A-Za-z0-9._:-]{1,100}@[A-Za-z0-9._:-]{1,100}$/, {
    message: 'must be the id of a worker, as GET /workers lists it: NAME@INSTANCE',
  })
  id: string;
}
