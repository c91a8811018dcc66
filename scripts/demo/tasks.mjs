const sleeps = [
  ['Resize the holiday photos', 'low', 2.4],
  ['Render the trailer', 'high', 5.2],
  ['Build the weekly report', 'high', 3.1],
  ['Index the archive', 'low', 4.4],
  ['Transcode episode 1', 'medium', 3.6],
  ['Transcode episode 2', 'medium', 2.8],
  ['Transcode episode 3', 'medium', 3.9],
  ['Train the tiny model', 'critical', 6],
  ['Reconcile the ledgers', 'critical', 1.8],
  ['Compact the search index', 'low', 1.5],
  ['Rotate the audit logs', 'low', 0.9],
  ['Warm the caches', 'high', 1.2],
  ['Check the backups', 'critical', 2.2],
  ['Export the customers', 'medium', 3.3],
  ['Mail the newsletter', 'medium', 4.1],
  ['Sweep the old sessions', 'low', 1.1],
];

const echoes = [
  'Greet the world',
  'Ping',
  'Record a heartbeat',
  'Note the temperature',
  'Log a visit',
  'Count to one',
  'Say thanks',
  'Knock on wood',
  'Wave goodbye',
];

const flaky = [
  ['Call the flaky supplier', 'high', 0.6, 3],
  ['Sync the unreliable calendar', 'medium', 0.5, 2],
  ['Print on the old printer', 'low', 0.7, 3],
];

const scheduled = [
  ['Open the shop', 'medium', 2],
  ['Ring the noon bell', 'high', 4],
  ['Post the evening edition', 'medium', 6],
  ['Close the shop', 'low', 7.5],
];

/**
 * What the demo creates: `{task, ends, cancelWhen?, shows?}`. `ends` are the states that count as expected, `cancelWhen` says
 * when the demo cancels it (`created` or `running`), `shows` what it is there to show.
 */
export function demoTasks(url, run) {
  const task = (name, fields) => ({ name, start: 'auto', labels: { demo: run }, ...fields });
  const inSeconds = (seconds) => new Date(Date.now() + seconds * 1_000).toISOString();
  return [
    ...sleeps.map(([name, priority, seconds]) => ({
      task: task(name, { type: 'sleep', priority, parameters: { seconds } }),
      ends: ['completed'],
    })),
    ...flaky.map(([name, priority, seconds, max_attempts]) => ({
      task: task(name, {
        type: 'sleep',
        priority,
        max_attempts,
        backoff: { kind: 'exponential', delay_seconds: 0.5, jitter: 0.2 },
        parameters: { seconds, fail: true },
      }),
      ends: ['failed'],
      shows: 'fails every time: retried with backoff until its attempts are used up',
    })),
    ...scheduled.map(([name, priority, seconds]) => ({ task: task(name, { priority, run_at: inSeconds(seconds) }), ends: ['completed'] })),
    ...echoes.map((name) => ({ task: task(name, { type: 'echo', parameters: { said: name } }), ends: ['completed'] })),
    {
      task: task('Mine a bitcoin', { type: 'sleep', priority: 'low', parameters: { seconds: 60 } }),
      ends: ['cancelled'],
      cancelWhen: 'running',
      shows: 'cancelled by the demo while it ran',
    },
    {
      task: task('Party like it is 2099', { run_at: '2099-12-31T23:59:00Z' }),
      ends: ['cancelled'],
      cancelWhen: 'created',
      shows: 'cancelled by the demo before it was due',
    },
    {
      task: task('Peek at the server itself', { type: 'http.request', max_attempts: 1, parameters: { url: `${url}/health/live` } }),
      // HTTP_ALLOW_HOSTS may allow it.
      ends: ['failed', 'completed'],
      shows: 'an http.request to a private address, which the server refuses (HTTP_ALLOW_HOSTS would allow it)',
    },
    {
      task: task('Take too long', { type: 'sleep', priority: 'high', timeout_seconds: 3, parameters: { seconds: 30 } }),
      ends: ['failed'],
      shows: 'ended by its timeout_seconds',
    },
  ];
}
