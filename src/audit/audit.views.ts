import { ApiProperty } from '@nestjs/swagger';
import { roles, type Role } from '../auth/principal.js';
import { anyJson } from '../transport/openapi.js';
import { doors, type AuditRecord, type Door } from './audit-record.js';
import type { AuditVerdict } from './audit.service.js';
import { problemKinds, type ChainProblem } from './verify.js';

/* What /docs and openapi.json say of the audit log. The classes are never made: TypeScript checks that they say what the answers hold. */

const hash = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';
const text = (description: string, example: string) => ApiProperty({ type: String, description, example });
const maybeText = (description: string, example: string | null) => ApiProperty({ type: 'string', nullable: true, description, example });
const number = (description: string, example: number) => ApiProperty({ type: 'integer', description, example });

export class AuditRecordView implements AuditRecord {
  @number('Its number in the chain; without gaps.', 17)
  seq: number;

  @ApiProperty({ type: 'string', format: 'date-time', description: 'When it was recorded.', example: '2026-12-01T06:00:00.000Z' })
  at: string;

  @text('The tenant of the caller.', 'default')
  tenant_id: string;

  @text('Who did it.', 'root')
  principal: string;

  @ApiProperty({ type: 'string', enum: roles, example: 'root' })
  role: Role;

  @ApiProperty({ type: 'string', enum: doors, description: 'By which door.', example: 'rest' })
  door: Door;

  @text('What was done, as the access policy names it.', 'config.write')
  operation: string;

  @maybeText('The id of what was changed.', null)
  target: string | null;

  @ApiProperty({ ...anyJson, description: 'What it was; null: it was not there, or nobody says.', example: { LOG_LEVEL: null } })
  before: unknown;

  @ApiProperty({
    ...anyJson,
    description: 'What it is. Above 16 KiB the beginning: `{cut, bytes, sha256, begins}`.',
    example: { LOG_LEVEL: 'debug' },
  })
  after: unknown;

  @text('`ok`, or the code of the error that was answered.', 'ok')
  outcome: string;

  @maybeText('The x-request-id of the request.', '8a2f6c1e-6d0b-4b0e-9a37-5f5d7a0c9b1e')
  request_id: string | null;

  @maybeText('The trace that the caller named.', null)
  trace_id: string | null;

  @maybeText('The other end of the connection. Headers of proxies are not believed.', '127.0.0.1')
  address: string | null;

  @text('The hash of the record before this one.', hash)
  previous_hash: string;

  @text('SHA-256 of all other fields as RFC 8785 writes them.', hash)
  hash: string;
}

export class AuditPageView {
  @ApiProperty({ type: () => [AuditRecordView], description: 'Newest first.' })
  items: AuditRecordView[];

  @ApiProperty({ type: 'integer', nullable: true, description: '`cursor` of the next page; null on the last one.', example: null })
  next_cursor: number | null;
}

class ChainProblemView implements ChainProblem {
  @ApiProperty({
    type: 'string',
    enum: problemKinds,
    description:
      'edited: a record does not have the hash of what it says; removed: a number is missing; reordered: a record does not follow the one before it; cut: the end is missing; rewritten: it is another log than the one that the head, or you, know of.',
    example: 'edited',
  })
  kind: ChainProblem['kind'];

  @number('The record at which it shows.', 17)
  seq: number;

  @text('A sentence.', 'Record 17 does not say what it was hashed with.')
  detail: string;
}

export class AuditVerdictView implements AuditVerdict {
  @ApiProperty({ type: Boolean, example: true })
  valid: boolean;

  @ApiProperty({ type: () => ChainProblemView, nullable: true, description: 'The first thing that is wrong.' })
  problem: ChainProblemView | null;

  @number('Records that are as they were written.', 17)
  checked: number;

  @number('The first record that is kept: retention has removed those before it.', 1)
  from_seq: number;

  @text('How far the log is in order. Keep it elsewhere, and hand it in next time.', `17:${hash}`)
  head: string;

  @ApiProperty({
    type: Boolean,
    nullable: true,
    description: 'Whether the `head` that was handed in was found; null without one, or when retention has removed its record.',
    example: null,
  })
  head_found: boolean | null;
}
