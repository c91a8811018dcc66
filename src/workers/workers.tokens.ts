/** Injection token of this replica's id, as `replica_id` shows it. */
export const REPLICA_ID = Symbol('ReplicaId');
