import { createHistogram } from 'node:perf_hooks';
import { Injectable } from '@nestjs/common';

/** Seconds from a REST request to its answer, streams left out; null without any. */
export interface LatencyView {
  requests: number;
  p50: number | null;
  p95: number | null;
  p99: number | null;
}

/** How long requests took since the sample before. */
@Injectable()
export class RequestLatency {
  private readonly histogram = createHistogram();

  record(milliseconds: number): void {
    this.histogram.record(Math.max(1, Math.round(milliseconds * 1_000)));
  }

  /** What was recorded since the last call. */
  take(): LatencyView {
    const { count } = this.histogram;
    const at = (percentile: number) => (count ? this.histogram.percentile(percentile) / 1e6 : null);
    const view = { requests: count, p50: at(50), p95: at(95), p99: at(99) };
    this.histogram.reset();
    return view;
  }
}
