import type { Logger } from 'pino';
import type { Settings } from '../settings.js';
import { isServerError, statusNames } from './grpc/status-names.js';
import { logFields, type RequestContext } from './request-context.js';
import { RequestObserver } from './request-observer.js';

/**
 * A line for each answered request: names of ours, numbers and ids. Never what callers have sent: no path, query, header or body.
 */
export class RequestLog extends RequestObserver {
  constructor(
    private readonly logger: Logger,
    private readonly settings: Pick<Settings, 'LOG_REQUESTS'>,
  ) {
    super();
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
    const { LOG_REQUESTS } = this.settings;
    const level = failed ? 'warn' : LOG_REQUESTS === 'all' ? 'info' : 'debug';
    return LOG_REQUESTS !== 'none' && this.logger.isLevelEnabled(level) ? level : undefined;
  }

  private write(level: 'warn' | 'info' | 'debug', seconds: number, context: RequestContext, fields: object): void {
    // Said here, as what runs when an answer is gone may belong to no request any more.
    const ids = { ...logFields(context), tenant: context.principal?.tenant_id, principal: context.principal?.name };
    this.logger[level]({ ...ids, ...fields, duration_ms: Math.round(seconds * 1e6) / 1e3 }, 'Request answered');
  }
}
