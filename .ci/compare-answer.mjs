// Exits 0 when an answer is what the README shows for its first call, but for ids, names of machines, and times.
import { readFileSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';

const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
const shown = JSON.parse(/<!-- \/flow -->\s*```json\n([^]*?)```/.exec(readme)[1]);
const answer = JSON.parse(process.argv[2]);
const general = ({ id, worker_id, created_at, updated_at, queued_at, started_at, finished_at, ...rest }) => ({
  ...rest,
  kinds: [id, worker_id, created_at, updated_at, queued_at, started_at, finished_at].map((value) => typeof value),
});
if (!isDeepStrictEqual(general(shown), general(answer))) {
  console.error('Shown in the README:', general(shown), '\nAnswered:', general(answer));
  process.exitCode = 1;
}
