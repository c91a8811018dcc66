// What one would build first: NestJS on Fastify, class-validator, BullMQ by @nestjs/bullmq, nothing else in the way.
import 'reflect-metadata';
import { BullModule } from '@nestjs/bullmq';
import { Module, ValidationPipe } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { TasksController } from './tasks.controller.js';
import { TasksService } from './tasks.service.js';

@Module({
  imports: [
    // oxlint-disable-next-line node/no-process-env -- this little service has no settings but this one
    BullModule.forRoot({ connection: { path: process.env['REDIS_SOCKET'] } }),
    BullModule.registerQueue({ name: 'tasks' }),
  ],
  controllers: [TasksController],
  providers: [TasksService],
})
class AppModule {}

const app = await NestFactory.create<NestFastifyApplication>(AppModule, new FastifyAdapter(), { logger: ['error', 'warn'] });
app.useGlobalPipes(new ValidationPipe({ whitelist: true, forbidNonWhitelisted: true, transform: true }));
app.enableShutdownHooks();
process.on('disconnect', () => process.exit());
await app.listen(0, '127.0.0.1');
console.log(`listening on ${await app.getUrl()}`);
