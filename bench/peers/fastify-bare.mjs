// The ceiling: Fastify alone, with the same body, checked by a JSON schema, and the same answer; nothing is stored.
import { randomUUIDv7 } from 'node:crypto';
import fastify from 'fastify';

const text = (maxLength) => ({ type: 'string', minLength: 1, maxLength });
const object = { type: 'object', additionalProperties: true };
const createSchema = {
  type: 'object',
  required: ['name'],
  additionalProperties: false,
  properties: {
    name: text(255),
    type: text(100),
    queue: text(100),
    priority: { enum: ['low', 'medium', 'high', 'critical'] },
    parameters: object,
    labels: { type: 'object', additionalProperties: { type: 'string' } },
    max_attempts: { type: 'integer', minimum: 1, maximum: 100 },
    timeout_seconds: { type: 'integer', minimum: 1, maximum: 86_400 },
    run_at: { type: ['string', 'null'], format: 'date-time' },
    start: { enum: ['manual', 'auto'] },
  },
};
const nullable = (type) => ({ type: [type, 'null'] });
const taskSchema = {
  type: 'object',
  properties: {
    ...Object.fromEntries(['id', 'tenant_id', 'name', 'type', 'queue', 'priority', 'status'].map((key) => [key, { type: 'string' }])),
    parameters: object,
    labels: object,
    result: {},
    error: {},
    progress: { type: 'number' },
    progress_message: nullable('string'),
    ...Object.fromEntries(['attempt', 'max_attempts', 'timeout_seconds', 'version'].map((key) => [key, { type: 'integer' }])),
    backoff: object,
    run_at: nullable('string'),
    worker_id: nullable('string'),
    ...Object.fromEntries(['created_by', 'created_at', 'updated_at'].map((key) => [key, { type: 'string' }])),
    ...Object.fromEntries(['queued_at', 'started_at', 'finished_at'].map((key) => [key, nullable('string')])),
  },
};

const app = fastify();
const sample = toTask({ name: 'Weekly report', parameters: { url: 'https://example.com/report', format: 'pdf', pages: 12 } });
const page = { items: Array.from({ length: 50 }, () => ({ ...sample, id: randomUUIDv7() })), next_cursor: null };

app.post('/tasks', { schema: { body: createSchema, response: { 201: taskSchema } } }, (request, reply) => {
  reply.status(201);
  return reply.send(toTask(request.body));
});
app.get('/tasks/:id', { schema: { response: { 200: taskSchema } } }, (request, reply) => reply.send({ ...sample, id: request.params.id }));
app.get(
  '/tasks',
  { schema: { response: { 200: { type: 'object', properties: { items: { type: 'array', items: taskSchema }, next_cursor: {} } } } } },
  (_, reply) => reply.send(page),
);
process.on('disconnect', () => process.exit());
process.on('SIGTERM', () => process.exit());
console.log(`listening on ${await app.listen({ port: 0, host: '127.0.0.1' })}`);

function toTask(body) {
  const now = new Date().toISOString();
  return {
    id: randomUUIDv7(),
    tenant_id: 'default',
    type: 'echo',
    queue: 'default',
    priority: 'medium',
    status: 'queued',
    labels: {},
    result: null,
    error: null,
    progress: 0,
    progress_message: null,
    attempt: 0,
    max_attempts: 1,
    timeout_seconds: 300,
    backoff: { kind: 'exponential', delay_seconds: 1, max_delay_seconds: 300, jitter: 0.2 },
    run_at: null,
    worker_id: null,
    created_by: 'anonymous',
    created_at: now,
    updated_at: now,
    queued_at: now,
    started_at: null,
    finished_at: null,
    version: 1,
    ...body,
  };
}
