import { Injectable } from '@nestjs/common';

/** Where this process is in its life; `main` sets it (`draining`: an admin does), readiness reports it. */
@Injectable()
export class Lifecycle {
  state: 'starting' | 'ready' | 'draining' | 'stopping' = 'starting';
  /** Fires when somebody does not want to wait for what runs. */
  hurry: AbortSignal | undefined;
}
