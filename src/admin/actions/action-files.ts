import { createGzip } from 'node:zlib';
import { Readable } from 'node:stream';
import { Injectable } from '@nestjs/common';
import { CodedError } from '../../errors/coded-error.js';
import { ActionsStore } from './actions.store.js';

const MiB = 1024 * 1024;
const maxBytes = 512 * MiB;
/** Of all together. */
const maxKeptBytes = 2_048 * MiB;

/** What actions leave to download: compressed, in the database, so that any replica can give it out. */
@Injectable()
export class ActionFiles {
  constructor(private readonly store: ActionsStore) {}

  async keep(id: string, name: string, chunks: AsyncIterable<Uint8Array>): Promise<void> {
    if ((await this.store.keptBytes()) > maxKeptBytes) {
      const message = `There are more than ${maxKeptBytes / MiB} MiB to download already. They go an hour after they were made; run the action again then.`;
      throw new CodedError('CONFLICT', message);
    }
    let bytes = 0;
    let position = 0;
    for await (const piece of pieces(chunks)) {
      bytes += piece.length;
      if (bytes > maxBytes) {
        throw new CodedError('PAYLOAD_TOO_LARGE', `What it gives is more than ${maxBytes / MiB} MiB compressed, which is not kept.`);
      }
      if (!(await this.store.addPiece(id, position++, piece))) {
        throw new CodedError('CONFLICT', 'The run was ended by somebody else: its replica was taken for gone.');
      }
    }
    await this.store.nameFile(id, `${name}.gz`, bytes);
  }

  /** From `position` on, one after the other. */
  async *read(id: string): AsyncGenerator<Buffer> {
    for (let position = 0; ; position++) {
      const piece = await this.store.piece(id, position);
      if (!piece) return;
      yield piece;
    }
  }
}

/** Compressed, in pieces of a MiB. */
async function* pieces(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer> {
  const source = Readable.from(chunks, { objectMode: false });
  const gzip = createGzip();
  source.on('error', (error) => gzip.destroy(error));
  source.pipe(gzip);
  let waiting: Buffer[] = [];
  let length = 0;
  try {
    for await (const chunk of gzip as AsyncIterable<Buffer>) {
      waiting.push(chunk);
      length += chunk.length;
      if (length < MiB) continue;
      const all = Buffer.concat(waiting);
      for (let at = 0; at + MiB <= all.length; at += MiB) yield all.subarray(at, at + MiB);
      waiting = [all.subarray(all.length - (all.length % MiB))];
      length = waiting[0]!.length;
    }
    if (length > 0) yield Buffer.concat(waiting);
  } finally {
    // Whoever takes no more of it leaves nothing running.
    source.destroy();
  }
}
