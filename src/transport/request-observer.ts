import type { RequestContext } from './request-context.js';

/** Hears of every request that was answered, on every door; streams are left out. This one keeps nothing. */
export class RequestObserver {
  /** `route`: the template of the path; undefined when there is no such route. */
  request(_method: string, _route: string | undefined, _status: number, _seconds: number, _context: RequestContext): void {}

  /** `method`: `TaskService/CreateTask`; `status`: the number of the gRPC status. */
  call(_method: string, _status: number, _seconds: number, _context: RequestContext): void {}

  /** `status`: 200, or what REST would have answered. */
  message(_namespace: string, _message: string, _status: number, _seconds: number, _context: RequestContext): void {}
}

/** Tells several. */
export class RequestObservers extends RequestObserver {
  private readonly observers: RequestObserver[] = [];

  add(observer: RequestObserver): void {
    this.observers.push(observer);
  }

  override request(...told: Parameters<RequestObserver['request']>): void {
    for (const observer of this.observers) observer.request(...told);
  }

  override call(...told: Parameters<RequestObserver['call']>): void {
    for (const observer of this.observers) observer.call(...told);
  }

  override message(...told: Parameters<RequestObserver['message']>): void {
    for (const observer of this.observers) observer.message(...told);
  }
}
