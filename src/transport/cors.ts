import type { FastifyInstance } from 'fastify';
import type { Settings } from '../settings.js';
import { corsOptions } from './origin.js';

/**
 * Cross-origin requests of CORS_ORIGINS, which may change while the server runs. A hook, as the usual plugin decides at the
 * start and adds a route for every path.
 */
export function installCors(fastify: FastifyInstance, settings: Pick<Settings, 'CORS_ORIGINS'>): void {
  const { methods, allowedHeaders, exposedHeaders, maxAge } = corsOptions(settings);
  fastify.addHook('onRequest', (request, reply, done) => {
    const { origin } = request.headers;
    if (settings.CORS_ORIGINS.length > 0) reply.header('vary', 'Origin');
    if (origin === undefined || !settings.CORS_ORIGINS.includes(origin)) return done();
    reply.headers({ 'access-control-allow-origin': origin, 'access-control-expose-headers': exposedHeaders.join(', ') });
    if (request.method !== 'OPTIONS' || request.headers['access-control-request-method'] === undefined) return done();
    reply.headers({
      'access-control-allow-methods': methods.join(', '),
      'access-control-allow-headers': allowedHeaders.join(', '),
      'access-control-max-age': String(maxAge),
    });
    reply.status(204).send();
  });
}
