import type { Lease, LeaseReport } from '../generated/arkitect/v1/worker_service.js';
import { toJsonObject, type JsonObject } from '../json.js';
import { storable } from '../text.js';
import { checkpointLimits, maxProgressMessage, weightOfJson, weightOfText } from './limits.js';

type Said = Omit<LeaseReport, 'lease'>;

/** What an attempt has said of itself, and what of it the server has not been told. */
export class Report {
  #latest: Said = {};
  #unsent: Said | undefined;
  #checkpointBytes = 0;

  /** Whether there is something to tell. */
  get isPending(): boolean {
    return this.#unsent !== undefined;
  }

  /** At most so many bytes of a message. */
  get weight(): number {
    return weightOfText(this.#unsent?.progressMessage) + (this.#unsent?.checkpoint ? weightOfJson(this.#checkpointBytes) : 0);
  }

  /** Answers whether it said something: NaN says nothing. */
  progress(percent: number, message: string | undefined): boolean {
    if (!Number.isFinite(percent)) return false;
    const progress = Math.min(100, Math.max(0, Math.round(percent * 100) / 100));
    this.#add({ progress, progressMessage: message === undefined ? undefined : storable(message, maxProgressMessage) });
    return true;
  }

  /** Answers what is kept. */
  checkpoint(value: object): JsonObject {
    const { json, bytes } = toJsonObject(value, 'checkpoint', checkpointLimits);
    this.#checkpointBytes = bytes;
    this.#add({ checkpoint: json });
    return json;
  }

  /** For a beat: the lease with what was not told yet, which counts as told from now on. */
  take(lease: Lease): LeaseReport {
    const report = { lease, ...this.#unsent };
    this.#unsent = undefined;
    return report;
  }

  /** The stream broke, and perhaps what it carried was never read: it is all to be told again. */
  repeat(): void {
    if (Object.keys(this.#latest).length > 0) this.#unsent = { ...this.#latest };
  }

  #add(said: Said): void {
    this.#latest = { ...this.#latest, ...said };
    this.#unsent = { ...this.#unsent, ...said };
  }
}
