/** Hears of every request that was answered, on every door; streams are left out. This one keeps nothing; metrics have one that does. */
export class RequestObserver {
  /** `route`: the template of the path; undefined when there is no such route. */
  request(_method: string, _route: string | undefined, _status: number, _seconds: number): void {}

  /** `method`: `TaskService/CreateTask`; `status`: the number of the gRPC status. */
  call(_method: string, _status: number, _seconds: number): void {}

  message(_namespace: string, _message: string, _outcome: 'ok' | 'error', _seconds: number): void {}
}
