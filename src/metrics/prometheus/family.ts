/** One observation, and the trace in which it was made; only OpenMetrics shows it. As prom-client takes it. */
export interface Exemplar {
  labelSet: { trace_id: string };
  value: number;
  /** Seconds since 1970. */
  timestamp: number;
}

/** One metric as Prometheus has it, with all of its series. */
export interface Family {
  name: string;
  help: string;
  type: 'counter' | 'gauge' | 'histogram';
  values: { labels: Record<string, string | number>; value: number; metricName?: string; exemplar?: Exemplar | undefined }[];
}

/** Whatever can tell a family: the metrics of prom-client, and those that we compute at a scrape. */
export interface Source {
  get(): Promise<Family>;
}

/** The series of one histogram: cumulative `buckets`, each with its upper bound. `exemplars`: of each bucket, and of the one beyond the last. */
export function histogramValues(
  name: string,
  labels: Record<string, string>,
  {
    buckets,
    sum,
    count,
    exemplars = [],
  }: { buckets: [bound: number, count: number][]; sum: number; count: number; exemplars?: (Exemplar | undefined)[] | undefined },
): Family['values'] {
  return [
    ...buckets.map(([bound, value], index) => ({
      metricName: `${name}_bucket`,
      labels: { ...labels, le: bound },
      value,
      exemplar: exemplars[index],
    })),
    { metricName: `${name}_bucket`, labels: { ...labels, le: '+Inf' }, value: count, exemplar: exemplars[buckets.length] },
    { metricName: `${name}_sum`, labels, value: sum },
    { metricName: `${name}_count`, labels, value: count },
  ];
}
