import type { Socket } from 'socket.io';

/** Waits until all that was sent has left for the client, so that it does not pile up in memory; or until the client is gone. */
export async function drained(socket: Socket): Promise<void> {
  if (waiting(socket).length === 0 || !socket.connected) return;
  await new Promise<void>((resolve) => {
    const done = () => {
      socket.conn.off('drain', done);
      socket.off('disconnect', done);
      resolve();
    };
    socket.conn.on('drain', done);
    socket.on('disconnect', done);
  });
}

/** Packets that wait for the client. */
export function waiting(socket: Socket): { data?: string | Buffer }[] {
  // engine.io keeps it private and offers no other measure.
  return (socket.conn as unknown as { writeBuffer: { data?: string | Buffer }[] }).writeBuffer;
}
