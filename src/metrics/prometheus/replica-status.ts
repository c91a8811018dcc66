/** What the kernel tells of itself; of this replica, now. */
export abstract class ReplicaStatus {
  abstract readonly isLeader: boolean;
  abstract readonly runner: { slots: number; running: number };
  /** When each background duty last succeeded here, in milliseconds since the epoch. */
  abstract readonly duties: Record<string, number | undefined>;
}
