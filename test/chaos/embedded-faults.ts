import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import type pg from 'pg';
import type { Fault } from './faults.js';

/** The lines of postmaster.pid of the embedded database in `dataDirectory`. */
function postmaster(dataDirectory: string): { processId: number; port: number; socketDirectory: string } {
  const [processId, , , port, socketDirectory] = readFileSync(join(dataDirectory, 'postgres/postmaster.pid'), 'utf8').split('\n');
  return { processId: Number(processId), port: Number(port), socketDirectory: socketDirectory! };
}

export function embeddedConnection(dataDirectory: string): pg.ClientConfig {
  const { port, socketDirectory } = postmaster(dataDirectory);
  return { host: socketDirectory, port, user: 'arkitect', database: 'postgres' };
}

/** One server with its embedded database in `dataDirectory`. */
export function embeddedFaults(dataDirectory: string): Fault[] {
  return [
    {
      kind: 'postmaster killed (SIGKILL)',
      target: 'process',
      async inject({ replicas: [server] }) {
        // Without its database the server ends by itself, and says so; whoever started it starts it again.
        server!.expectEnd();
        process.kill(postmaster(dataDirectory).processId, 'SIGKILL');
        await server!.ended();
        await server!.start();
      },
    },
    {
      kind: 'server and postmaster killed (SIGKILL)',
      target: 'process',
      async inject({ replicas: [server] }, random) {
        const { processId } = postmaster(dataDirectory);
        server!.expectEnd();
        process.kill(processId, 'SIGKILL');
        await server!.kill();
        await wait(random.between(0, 500));
        await server!.start();
      },
    },
  ];
}
