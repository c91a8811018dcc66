import { createHash } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { Database, statement, type Queryable } from '../database/database.js';
import { CodedError, invalid } from '../errors/coded-error.js';
import { canonicalJson } from '../input/canonical-json.js';
import type { Json } from './task.js';

const reserveStatement = statement<{ key: string }>(
  'reserve_idempotency_key',
  `INSERT INTO idempotency_keys (tenant_id, key, request_hash) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING RETURNING key`,
);
const answerStatement = statement('answer_idempotency_key', 'UPDATE idempotency_keys SET response = $3 WHERE tenant_id = $1 AND key = $2');
const readStatement = statement<{ same: boolean; response: unknown }>(
  'read_idempotency_key',
  'SELECT request_hash = $3 AS same, response FROM idempotency_keys WHERE tenant_id = $1 AND key = $2',
);

export interface IdempotentCall {
  tenant_id: string;
  key: string;
  /** What the key stands for: operation and body. Another body under the same key is refused. */
  operation: string;
  body: Json;
}

/** Runs a creating call once for each Idempotency-Key; a repetition gets the first answer again. */
@Injectable()
export class Idempotency {
  constructor(private readonly database: Database) {}

  async once<T>(call: IdempotentCall, create: (transaction: Queryable) => Promise<T>): Promise<{ answer: T; replayed: boolean }> {
    if (!/^[\x21-\x7e]{1,255}$/.test(call.key)) {
      throw invalid([{ field: 'Idempotency-Key', message: 'must be 1 to 255 printable characters without spaces, such as a UUID' }]);
    }
    const hash = createHash('sha256')
      .update(`${call.operation}\n${canonicalJson(call.body)}`)
      .digest();
    return this.database.api.transaction(async (transaction) => {
      // A concurrent call with the same key waits here until the first one has committed or rolled back.
      const reserved = await transaction.query(reserveStatement, [call.tenant_id, call.key, hash]);
      if (!reserved.length) return { answer: await this.firstAnswer<T>(transaction, call, hash), replayed: true };
      const answer = await create(transaction);
      await transaction.query(answerStatement, [call.tenant_id, call.key, JSON.stringify(answer)]);
      return { answer, replayed: false };
    });
  }

  private async firstAnswer<T>(transaction: Queryable, call: IdempotentCall, hash: Buffer): Promise<T> {
    const [first] = await transaction.query(readStatement, [call.tenant_id, call.key, hash]);
    // The key may have been pruned between the two statements; the caller's next try then creates.
    if (!first) throw new CodedError('UNAVAILABLE', 'The Idempotency-Key expired just now. Send the request again.');
    if (!first.same) {
      throw new CodedError('IDEMPOTENCY_KEY_REUSED', 'This Idempotency-Key was used for another request. Use a new key for a new request.');
    }
    return first.response as T;
  }
}
