// Prints the test files that are worth a second run on another PostgreSQL: those that use the database of the run, by themselves or by what they
// import from test/, except for those that look at a door and not at what is stored.
import { globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** What they prove of doors, logs and the terminal is the same on every PostgreSQL, and the first run has proven it. */
const ofDoors = [
  /^test\/e2e\/(access|admin-secrets|cli|demo|protocol|rest-(access|body|fuzz|http|input)|secrets-in-logs|socket-(handshake|slow-client))/,
  /^test\/e2e\/(grpc-tls|config-(file|secrets)|quickstart|trace-context|tracing)\.test\.ts$/,
  /^test\/contract\/answers\.test\.ts$/,
  // Has a step of its own.
  /^test\/prometheus\//,
];

const known = new Map();

function usesDatabase(file) {
  if (!known.has(file)) {
    // For imports that go in a circle.
    known.set(file, false);
    const text = readFileSync(file, 'utf8');
    const imports = [...text.matchAll(/from '(\.[^']+)\.js'/g)].map(([, path]) => join(dirname(file), `${path}.ts`));
    known.set(file, text.includes("inject('postgresUrl')") || imports.some((each) => each.startsWith('test/') && usesDatabase(each)));
  }
  return known.get(file);
}

const files = globSync(['src/**/*.test.ts', 'test/**/*.test.ts']).sort();
console.log(files.filter((file) => usesDatabase(file) && !ofDoors.some((pattern) => pattern.test(file))).join('\n'));
