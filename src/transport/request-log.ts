import type { Logger } from 'pino';
import type { Settings } from '../settings.js';
import { isServerError, statusNames } from './grpc/status-names.js';
import { logFields, type RequestContext } from './request-context.js';
import { RequestObserver } from './request-observer.js';

/**
 * A line for each answered request: names of ours, numbers and ids. Never what callers have sent: no path, query, header or body.
 */
export class RequestLog extends RequestObserver {
  private constructor(
    private readonly logger: Logger,
    /** The level of what went well; none when it is not shown. */
    private readonly success: 'info' | 'debug' | undefined,
  ) {
    super();
  }

  /** None when no line of it would ever be written. */
  static of(logger: Logger, { LOG_REQUESTS }: Settings): RequestLog | undefined {
    if (LOG_REQUESTS === 'none' || !logger.isLevelEnabled('warn')) return undefined;
    const success = LOG_REQUESTS === 'all' ? 'info' : 'debug';
    return new RequestLog(logger, logger.isLevelEnabled(success) ? success : undefined);
  }

  override request(method: string, route: string | undefined, status: number, seconds: number, context: RequestContext): void {
    const level = this.level(status >= 500);
    if (level) this.write(level, seconds, context, { door: 'rest', method, route: route ?? null, status });
  }

  override call(method: string, status: number, seconds: number, context: RequestContext): void {
    const level = this.level(isServerError(status));
    if (level) this.write(level, seconds, context, { door: 'grpc', method, status: statusNames[status] ?? status });
  }

  override message(namespace: string, message: string, status: number, seconds: number, context: RequestContext): void {
    const level = this.level(status >= 500);
    if (level) this.write(level, seconds, context, { door: 'socket.io', method: `${namespace} ${message}`, status });
  }

  private level(failed: boolean): 'warn' | 'info' | 'debug' | undefined {
    return failed ? 'warn' : this.success;
  }

  private write(level: 'warn' | 'info' | 'debug', seconds: number, context: RequestContext, fields: object): void {
    // Said here, as what runs when an answer is gone may belong to no request any more.
    const ids = { ...logFields(context), tenant: context.principal?.tenant_id, principal: context.principal?.name };
    this.logger[level]({ ...ids, ...fields, duration_ms: Math.round(seconds * 1e6) / 1e3 }, 'Request answered');
  }
}
