/** One metric as Prometheus has it, with all of its series. */
export interface Family {
  name: string;
  help: string;
  type: 'counter' | 'gauge' | 'histogram';
  values: { labels: Record<string, string | number>; value: number; metricName?: string }[];
}

/** Whatever can tell a family: the metrics of prom-client, and those that we compute at a scrape. */
export interface Source {
  get(): Promise<Family>;
}

/** The series of one histogram: cumulative `buckets`, each with its upper bound. */
export function histogramValues(
  name: string,
  labels: Record<string, string>,
  { buckets, sum, count }: { buckets: [bound: number, count: number][]; sum: number; count: number },
): Family['values'] {
  return [
    ...buckets.map(([bound, value]) => ({ metricName: `${name}_bucket`, labels: { ...labels, le: bound }, value })),
    { metricName: `${name}_bucket`, labels: { ...labels, le: '+Inf' }, value: count },
    { metricName: `${name}_sum`, labels, value: sum },
    { metricName: `${name}_count`, labels, value: count },
  ];
}
