import type { sendUnaryData, Server, ServerUnaryCall, ServerWritableStream } from '@grpc/grpc-js';
import { service } from 'grpc-health-check';
import { HealthService } from './health.service.js';

type Status = 'SERVING' | 'NOT_SERVING';
interface Request {
  service: string;
}
interface Answer {
  status: Status | 'SERVICE_UNKNOWN';
}

const notFound = 5;
const watchMs = 2_000;

/**
 * grpc.health.v1.Health: every service, and the empty name for the whole server, is SERVING while /health/ready is. Asked when
 * somebody asks, so that nobody checks a database that nobody wants to know of.
 */
export function addHealth(server: Server, health: HealthService, services: readonly string[]): void {
  const isKnown = (name: string) => name === '' || services.includes(name);
  const status = async (): Promise<Status> => {
    const { status: readiness } = await health.ready();
    return readiness === 'ok' || readiness === 'degraded' ? 'SERVING' : 'NOT_SERVING';
  };
  server.addService(service, {
    check({ request }: ServerUnaryCall<Request, Answer>, callback: sendUnaryData<Answer>) {
      if (!isKnown(request.service)) {
        callback({
          code: notFound,
          details: `There is no service ${request.service.slice(0, 200)} here; ask for one of ${services.join(', ')}, or for none.`,
        });
        return;
      }
      status().then((value) => callback(null, { status: value }), callback);
    },
    list(_call: unknown, callback: sendUnaryData<{ statuses: Record<string, Answer> }>) {
      status().then(
        (value) => callback(null, { statuses: Object.fromEntries(['', ...services].map((name) => [name, { status: value }])) }),
        callback,
      );
    },
    watch(call: ServerWritableStream<Request, Answer>) {
      if (!isKnown(call.request.service)) return void call.write({ status: 'SERVICE_UNKNOWN' });
      let last: Status | undefined;
      const tell = async () => {
        const value = await status();
        if (value !== last && !call.cancelled) call.write({ status: value });
        last = value;
      };
      const timer = setInterval(() => void tell(), watchMs);
      call.on('cancelled', () => clearInterval(timer));
      call.on('close', () => clearInterval(timer));
      void tell();
    },
  });
}
