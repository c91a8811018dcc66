import { duration, fit, looks, painter } from './style.mjs';

/** What happened, and what to try next. `isAsExpected` when every task ended as the demo says it should. */
export function finalReport(board, { url, isOurs, color }) {
  const paint = painter(color);
  const surprises = board.rows.filter((row) => !row.ends.includes(row.status));
  const retries = board.rows.reduce((sum, row) => sum + Math.max(0, row.attempt - 1), 0);
  const line = (label, value, style) => `   ${fit(label, 24)} ${paint(String(value).padStart(10), ...(style ? [style] : []))}`;
  const table = [
    ...['completed', 'failed', 'cancelled'].map((state) => line(`${looks[state][0]} ${state}`, board.count(state), looks[state][1])),
    line('  retries', retries),
    line('  events over Socket.IO', board.events),
    line('  queue wait, median', duration(percentile(board.waits, 0.5))),
    line('  queue wait, 95 of 100', duration(percentile(board.waits, 0.95))),
  ];
  const why = board.rows
    .filter((row) => row.shows)
    .map(
      (row) =>
        `   ${paint(looks[row.status][0], looks[row.status][1])} ${fit(row.name, 29)} ${paint(row.error?.code ?? row.status, 'gray')}`,
    );
  const verdict = surprises.length
    ? paint(` ${surprises.length} of ${board.rows.length} tasks did not end as expected:`, 'bold', 'red')
    : paint(` All ${board.rows.length} tasks ended as expected, in ${board.seconds.toFixed(1)} seconds.`, 'bold');
  const text = [
    '',
    verdict,
    ...surprises.map(
      (row) =>
        `   ${row.name}: ${row.status} instead of ${row.ends.join(' or ')}${row.error ? ` (${row.error.code}: ${row.error.message})` : ''}`,
    ),
    '',
    ...table,
    '',
    paint(' Not completed, and meant to be so', 'bold'),
    ...why,
    '',
    paint(' Try next', 'bold'),
    ...nextSteps(board, url, isOurs).map((command) => `   ${command}`),
    '',
  ];
  return { text: `${text.join('\n')}\n`, isAsExpected: surprises.length === 0 };
}

function nextSteps({ run, rows }, url, isOurs) {
  const { port } = new URL(url);
  const start = port === '8000' ? 'npm start' : `PORT=${port} npm start`;
  const failed = rows.find((row) => row.status === 'failed' && row.attempt > 1) ?? rows[0];
  return [
    ...(isOurs ? [`${start}      # the demo's own server has stopped; its tasks are kept`] : []),
    `curl -s '${url}/tasks?label=demo=${run}&status=failed'`,
    `curl -s ${url}/tasks/${failed.id}/attempts`,
    `${url}/docs`,
  ];
}

/** The value below which a share of all values lies. */
function percentile(values, share) {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
}
