/** One measured value of one series. */
export interface Sample {
  /** Empty for what belongs to the server rather than to a tenant. */
  tenant_id: string;
  metric: string;
  labels: Record<string, string>;
  value: number;
}

/** Seconds between two samples as taken, and of the two roll-ups. */
export const steps = { sample: 10, minute: 60, hour: 3_600 } as const;

export interface SeriesRow {
  id: number;
  tenant_id: string;
  metric: string;
  labels: Record<string, string>;
}
