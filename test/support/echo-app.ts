import { Global, Module, UseFilters } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { Ack, ConnectedSocket, MessageBody, SubscribeMessage, WebSocketGateway, type OnGatewayConnection } from '@nestjs/websockets';
import type { Socket } from 'socket.io';
import { ADMIN_TOKEN } from '../../src/auth/admin-token.js';
import { Authenticator } from '../../src/auth/authenticator.js';
import { loadSettings, SETTINGS } from '../../src/settings.js';
import { ErrorFilter } from '../../src/transport/error.filter.js';
import { fastifyOptions, installFastify } from '../../src/transport/fastify.js';
import { Connections } from '../../src/transport/connections.js';
import { RequestObserver } from '../../src/transport/request-observer.js';
import { AuthenticatedIoAdapter } from '../../src/transport/socket-io.adapter.js';

export const token = 'a-root-token-for-tests';

/** Intervals that a test can wait for, in milliseconds. */
export const tuning = { pingInterval: 300, pingTimeout: 200, connectTimeout: 500 };

class Echo implements OnGatewayConnection {
  handleConnection(socket: Socket): void {
    socket.emit('welcome', socket.nsp.name);
  }

  @SubscribeMessage('message')
  message(@ConnectedSocket() socket: Socket, @MessageBody() received: unknown): void {
    socket.emit('message-back', ...listOf(received));
  }

  @SubscribeMessage('message-with-ack')
  messageWithAck(@Ack() ack: (...answers: unknown[]) => void, @MessageBody() received: unknown): void {
    ack(...listOf(received));
  }
}

@WebSocketGateway({ namespace: 'one' })
@UseFilters(ErrorFilter)
class OneGateway extends Echo {}

@WebSocketGateway({ namespace: 'two' })
@UseFilters(ErrorFilter)
class TwoGateway extends Echo {}

const { settings } = loadSettings({}, '/nonexistent');

@Global()
@Module({
  providers: [
    OneGateway,
    TwoGateway,
    Authenticator,
    Connections,
    RequestObserver,
    { provide: SETTINGS, useValue: settings },
    { provide: ADMIN_TOKEN, useValue: { token } },
  ],
})
class EchoModule {}

/** Our Fastify and our Socket.IO adapter with two echoing namespaces, on a free port: the protocol without the product. */
export async function startEchoApp(): Promise<NestFastifyApplication> {
  const adapter = new FastifyAdapter(fastifyOptions());
  installFastify(adapter.getInstance());
  const app = await NestFactory.create<NestFastifyApplication>(EchoModule, adapter, { bodyParser: false, logger: false });
  app.useWebSocketAdapter(new AuthenticatedIoAdapter(app, tuning));
  await app.listen(0, '127.0.0.1');
  return app;
}

/** Several arguments of a message arrive as one list. */
function listOf(received: unknown): unknown[] {
  return Array.isArray(received) ? received : [received];
}
