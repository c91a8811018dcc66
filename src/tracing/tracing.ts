import type { TraceContext } from './trace-context.js';

/** What code below the doors knows of traces. */
export class Tracing {
  constructor(
    /** The trace of the request that is being answered. */
    readonly current: () => TraceContext | undefined,
  ) {}
}
