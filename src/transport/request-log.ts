import type { Logger } from 'pino';
import type { Settings } from '../settings.js';
import { isServerError, statusNames } from './grpc/status-names.js';
import { logFields, type RequestContext } from './request-context.js';
import { RequestObserver } from './request-observer.js';

type Level = 'warn' | 'info' | 'debug';

/**
 * A line for each answered request: names of ours, numbers and ids. Never what callers have sent: no path, query, header or body.
 * Request id and trace id are those of the line's own request, as of every line.
 */
export class RequestLog extends RequestObserver {
  constructor(
    private readonly logger: Logger,
    private readonly settings: Pick<Settings, 'LOG_REQUESTS'>,
  ) {
    super();
  }

  override request(method: string, route: string | undefined, status: number, seconds: number, context: RequestContext): void {
    this.write(status >= 500, seconds, context, { door: 'rest', method, route: route ?? null, status });
  }

  override call(method: string, status: number, seconds: number, context: RequestContext): void {
    const shown = statusNames[status] ?? status;
    this.write(isServerError(status), seconds, context, { door: 'grpc', method, status: shown });
  }

  override message(namespace: string, message: string, status: number, seconds: number, context: RequestContext): void {
    this.write(status >= 500, seconds, context, { door: 'socket.io', method: `${namespace} ${message}`, status });
  }

  private write(failed: boolean, seconds: number, { principal, ...context }: RequestContext, fields: object): void {
    const { LOG_REQUESTS } = this.settings;
    const level: Level = failed ? 'warn' : LOG_REQUESTS === 'all' ? 'info' : 'debug';
    if (LOG_REQUESTS === 'none' || !this.logger.isLevelEnabled(level)) return;
    const ids = logFields(context);
    this.logger[level](
      { ...ids, tenant: principal?.tenant_id, principal: principal?.name, ...fields, duration_ms: Math.round(seconds * 1e6) / 1e3 },
      'Request answered',
    );
  }
}
