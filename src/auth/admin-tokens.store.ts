import { Injectable } from '@nestjs/common';
import { Database, statement } from '../database/database.js';

/** A root token, as far as anybody keeps it. */
export interface StoredToken {
  version: number;
  /** SHA-256 of it. */
  digest: Buffer;
  /** By a rotation: it holds on every replica. */
  issued: boolean;
  valid_until: string | null;
  /** Until it ends, by the clock of the database; null: it does not. */
  seconds_left: number | null;
}

const lockNumber = 4_711_000_018;

const listStatement = statement<StoredToken>(
  'admin_tokens',
  `SELECT version, digest, issued, valid_until, extract(epoch FROM valid_until - clock_timestamp())::float8 AS seconds_left FROM admin_tokens ORDER BY version`,
);
const registerStatement = statement(
  'register_admin_token',
  'INSERT INTO admin_tokens (digest, issued, created_by) VALUES ($1, false, $2) ON CONFLICT (digest) DO NOTHING',
);
const lockStatement = statement('admin_tokens_lock', 'SELECT pg_advisory_xact_lock($1::bigint)');
const retireStatement = statement<{ digest: Buffer }>(
  'retire_admin_tokens',
  `UPDATE admin_tokens SET valid_until = now() + make_interval(secs => $1)
WHERE valid_until IS NULL OR valid_until > now() + make_interval(secs => $1) RETURNING digest`,
);
const issueStatement = statement<{ valid_from: string }>(
  'issue_admin_token',
  'INSERT INTO admin_tokens (digest, issued, created_by) VALUES ($1, true, $2) RETURNING valid_from',
);

/** Digests of root tokens. */
@Injectable()
export class AdminTokensStore {
  constructor(private readonly database: Database) {}

  list(): Promise<StoredToken[]> {
    return this.database.api.query(listStatement);
  }

  /** A replica has started with it; of one that is known already nothing changes. */
  async register(digest: Buffer, by: string): Promise<void> {
    await this.database.api.query(registerStatement, [digest, by]);
  }

  /** All that hold now end in `overlapSeconds` at the latest, and the new one holds. Answers since when, and how many end. */
  issue(digest: Buffer, overlapSeconds: number, by: string): Promise<{ valid_from: string; ending: number }> {
    return this.database.api.transaction(async (transaction) => {
      await transaction.query(lockStatement, [lockNumber]);
      const ending = await transaction.query(retireStatement, [overlapSeconds]);
      const [issued] = await transaction.query(issueStatement, [digest, by]);
      return { valid_from: issued!.valid_from, ending: ending.length };
    });
  }
}
