/*
 * The dependency rule of docs/architecture.md as lint: arrows point down, from the doors to the domain.
 * Tests beside the code may reach anything.
 */

const code = (path) => ({ path, pathNot: '\\.test\\.ts$' });
const npm = (...names) => `^node_modules/(${names.join('|')})(/|$)`;

const nest = '@nestjs/[^/]+';
const doors = [
  'fastify',
  '@fastify/[^/]+',
  'socket\\.io',
  '@nestjs/platform-[^/]+',
  '@nestjs/websockets',
  '@nestjs/microservices',
  '@grpc/[^/]+',
  'grpc-health-check',
  'protobufjs',
];

/** The files in which the outside world is met: REST, Socket.IO, gRPC, the server itself. */
const doorFiles =
  '^src/(app\\.ts$|transport/|auth/|health/|(tasks|workers|metrics|alerts|config|audit|admin)/((prometheus|channels|routes|rules|silences|system|logs)/)?([^/]+\\.(controller|gateway|grpc)|worker-stream|metrics-feed|socket-listeners|log-subscriptions)\\.ts$)';

/** @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: [
    {
      name: 'no-cycles',
      comment: 'Two files that need each other are one, or one of them publishes an event.',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'no-orphans',
      comment: 'Nobody imports it and it imports nobody: delete it, or use it.',
      severity: 'error',
      from: { orphan: true, pathNot: '\\.(d|test)\\.ts$' },
      to: {},
    },
    {
      name: 'no-unresolved',
      comment: 'The import leads nowhere.',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
    {
      name: 'no-dev-dependencies-in-the-server',
      comment: 'What the server needs at run time stands under dependencies.',
      severity: 'error',
      from: code('^src/'),
      to: { dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown'], dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'domain-imports-nothing',
      comment: 'Types and pure rules are below everything else.',
      severity: 'error',
      from: code('^src/(tasks/task|alerts/alert|errors/error-codes|events/events|auth/(principal|policy)|tracing/trace-context)\\.ts$'),
      to: { pathNot: '^src/(tasks/task|alerts/alert|errors/error-codes|auth/principal)\\.ts$' },
    },
    {
      name: 'only-database-knows-pg',
      comment: 'Everything else speaks Queryable. Types of the driver may be named by the parts that hold a connection.',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/database/|\\.test\\.ts$' },
      to: { path: npm('pg', 'pg-[^/]+'), dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'only-events-knows-redis',
      comment: 'Redis carries hints and copies; whoever needs more of it than src/events offers would depend on what may be lost.',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/events/|\\.test\\.ts$' },
      to: { path: npm('ioredis') },
    },
    {
      name: 'only-doors-know-their-frameworks',
      comment: 'Services and engine must work the same behind every door.',
      severity: 'error',
      from: { path: '^src/', pathNot: `${doorFiles}|\\.test\\.ts$` },
      to: { path: npm(...doors) },
    },
    {
      name: 'no-nest-below-the-services',
      comment: 'Engine, runner, events and database are testable with nothing but a database.',
      severity: 'error',
      from: code('^src/(engine|runner|events|database|errors|input/plain-json)'),
      to: { path: npm(nest) },
    },
    {
      name: 'handlers-know-only-the-documentation-of-nest',
      comment: 'A handler describes its parameters by ApiProperty, and needs nothing else of Nest.',
      severity: 'error',
      from: code('^src/(handlers|input)/'),
      to: { path: npm(nest), pathNot: npm('@nestjs/swagger', '@nestjs/common') },
    },
    {
      name: 'handlers-have-no-nest-common',
      comment: 'input/ composes decorators with applyDecorators; handlers have no use for Nest itself.',
      severity: 'error',
      from: code('^src/handlers/'),
      to: { path: npm('@nestjs/common') },
    },
    {
      name: 'controllers-and-gateways-go-to-their-service',
      comment:
        'A door translates: service, DTOs and views of its own feature, transport and auth. No engine, no database, no other feature.',
      severity: 'error',
      from: code(
        '^src/(tasks|workers|metrics|config|audit|admin/system|admin/logs|alerts/channels|alerts/routes|alerts/rules|alerts/silences|alerts)/[^/]+\\.(controller|gateway|grpc)\\.ts$',
      ),
      to: {
        path: '^src/',
        pathNot: '^src/(transport|auth|errors|input)/|^src/$1/(?!.*\\.(store|module)\\.ts$)|^src/events/(events|event-watch)\\.ts$',
      },
    },
    {
      name: 'only-services-use-stores',
      comment: 'Reads go through the service, which knows who may see what.',
      severity: 'error',
      from: {
        path: '^src/',
        pathNot:
          '\\.(service|module|test)\\.ts$|^src/tasks/[^/]+\\.store\\.ts$|^src/workers/(worker-pool|known-types)\\.ts$|^src/config/config-(keeper|sync|clock)\\.ts$|^src/audit/audit-(trail|keeper)\\.ts$|^src/admin/logs/(log-storage|log-watch|logs-keeper)\\.ts$|^src/kernel(\\.module)?\\.ts$|^src/alerts/(alerts-keeper|(channels|flow|rules|silences)/[a-z]+-keeper|rules/[^/]+\\.store)\\.ts$|^src/metrics/(metrics-sampler|history/(history-reader|points\\.store)|cluster/cluster-observer)\\.ts$',
      },
      to: { path: '\\.store\\.ts$', dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'services-go-down',
      comment: 'A service knows no door.',
      severity: 'error',
      from: code('\\.service\\.ts$'),
      to: { path: '\\.(controller|gateway|filter|guard)\\.ts$|^src/(transport|runner)/|^src/app' },
    },
    {
      name: 'stores-read-the-database',
      comment: 'SQL beside its row mapping, and nothing else.',
      severity: 'error',
      from: code('\\.store\\.ts$'),
      to: {
        path: '^src/',
        pathNot:
          '^src/(database|engine/task-row|input/page|tasks|workers|alerts|config/overrides|audit/audit-(record|query)|logging/log-line|metrics/(history/series|cluster/snapshot|system/replica-sample))',
      },
    },
    {
      name: 'engine-goes-down',
      comment: 'The engine knows the database, the event log and the task; no doors, no features.',
      severity: 'error',
      from: code('^src/engine/'),
      to: { path: '^src/', pathNot: '^src/(engine|database|events|errors)/|^src/(tasks/task|tracing/trace-context)\\.ts$' },
    },
    {
      name: 'runner-goes-down',
      comment: 'The runner is a worker: engine, handlers, wake-ups. Of the database it knows which errors are worth a repetition.',
      severity: 'error',
      from: code('^src/runner/'),
      to: {
        path: '^src/',
        pathNot:
          '^src/(runner|engine|handlers|events|errors)/|^src/(tasks/task|tracing/trace-context|database/database-errors|input/plain-json)\\.ts$',
      },
    },
    {
      name: 'events-go-down',
      comment: 'The event log knows the database and the task.',
      severity: 'error',
      from: code('^src/events/'),
      to: { path: '^src/', pathNot: '^src/(events|database|errors)/|^src/(tasks/task|alerts/alert)\\.ts$' },
    },
    {
      name: 'handlers-go-down',
      comment: 'A handler gets all it needs from its context.',
      severity: 'error',
      from: code('^src/handlers/'),
      to: { path: '^src/', pathNot: '^src/(handlers|outbound|input|errors)/|^src/(tasks/task|tracing/trace-context|settings)\\.ts$' },
    },
    {
      name: 'cli-is-a-leaf',
      comment: 'The command line is a client like any other: of the server it knows the names of states, and the version.',
      severity: 'error',
      from: code('^src/cli/'),
      to: { path: '^src/', pathNot: '^src/(cli/|(tasks/task|alerts/alert|errors/coded-error|version)\\.ts$)' },
    },
    {
      name: 'the-server-has-no-command-line',
      comment: 'src/cli is for the terminal.',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/cli/' },
      to: { path: '^src/cli/' },
    },
    {
      name: 'tracing-is-a-leaf',
      comment: 'Whoever can be traced may use it, so it knows nobody.',
      severity: 'error',
      from: code('^src/tracing/'),
      to: { path: '^src/', pathNot: '^src/(tracing/|setting(s|-definition)\\.ts$)' },
    },
    {
      name: 'opentelemetry-is-loaded-on-demand',
      comment: 'Who does not export traces does not load the SDK.',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/tracing/otlp/|\\.test\\.ts$' },
      to: { path: ['^src/tracing/otlp/', npm('@opentelemetry/[^/]+')], dynamic: false, dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'outbound-goes-down',
      comment: 'Where the server may connect to for its users, whoever asks.',
      severity: 'error',
      from: code('^src/outbound/'),
      to: { path: '^src/', pathNot: '^src/(outbound/|settings\\.ts$)' },
    },
    {
      name: 'database-is-at-the-bottom',
      comment: 'It knows where to connect, and nothing of tasks.',
      severity: 'error',
      from: code('^src/database/'),
      to: { path: '^src/', pathNot: '^src/(database/|settings\\.ts$)' },
    },
    {
      name: 'nobody-imports-what-starts-the-process',
      comment: 'Tests and generators start a server by app.ts.',
      severity: 'error',
      from: { path: '^(src|test)/', pathNot: '^src/main\\.ts$' },
      to: { path: '^src/(main|run-server|generate/main)\\.ts$' },
    },
    {
      name: 'the-server-does-not-generate',
      comment: 'src/generate is for developers.',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/generate/' },
      to: { path: '^src/generate/' },
    },
  ],
  options: {
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true,
    doNotFollow: { path: 'node_modules' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'node', 'default', 'types'] },
  },
};
