import { Injectable } from '@nestjs/common';

/** How many connections are open on the doors of this replica; each door says how it counts its own. */
@Injectable()
export class Connections {
  private readonly counters: { sockets: (() => number)[]; streams: (() => number)[] } = { sockets: [], streams: [] };

  count(kind: 'sockets' | 'streams', counter: () => number): void {
    this.counters[kind].push(counter);
  }

  /** Of Socket.IO. */
  sockets(): number {
    return sum(this.counters.sockets);
  }

  /** Of gRPC: calls that answer with a stream, and workers. */
  streams(): number {
    return sum(this.counters.streams);
  }
}

function sum(counters: (() => number)[]): number {
  return counters.reduce((total, counter) => total + counter(), 0);
}
