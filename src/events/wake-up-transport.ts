/** A way for wake-ups to reach the other replicas. */
export interface WakeUpTransport {
  /** Whether wake-ups of other replicas arrive by it just now. */
  readonly connected: boolean;
  /** `receive` gets what other replicas have sent; `missed` is called when some of it may have been lost. */
  start(receive: (kinds: string) => void, missed: () => void): Promise<void>;
  /** Rejects when it could not be sent. */
  send(kinds: string): Promise<void>;
  stop(): Promise<void>;
}
