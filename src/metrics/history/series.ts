/** One measured value of one series. */
export interface Sample {
  /** Empty for what belongs to the server rather than to a tenant. */
  tenant_id: string;
  metric: string;
  labels: Record<string, string>;
  value: number;
}
