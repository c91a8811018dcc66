import { duration, fit, looks } from './style.mjs';

const partial = ['', '▏', '▎', '▍', '▌', '▋', '▊', '▉'];

/** The board as at most `height` lines of at most `width` columns. */
export function drawFrame(board, { width, height, paint }) {
  const columns = Math.min(width, 120);
  const head = [heading(board, columns, paint), totals(board, columns, paint), ''];
  const room = Math.max(1, height - head.length);
  const { shown, finished, waiting } = choose(board.rows, room);
  const rest = [finished && `${finished} finished`, waiting && `${waiting} more waiting`].filter(Boolean);
  const tail = rest.length ? [paint(`   … and ${rest.join(', ')}`, 'gray')] : [];
  return [...head, ...shown.map((row) => drawRow(row, columns, paint)), ...tail];
}

/** All rows in their order where they fit; else what is not finished, and of the rest the latest. */
function choose(rows, room) {
  if (rows.length <= room) return { shown: rows, finished: 0, waiting: 0 };
  const places = Math.max(0, room - 1);
  const urgency = (row) => (row.isFinished ? 2 : row.status === 'running' || row.status === 'cancelling' ? 0 : 1);
  const best = rows.toSorted((a, b) => urgency(a) - urgency(b) || (b.finishedAt ?? 0) - (a.finishedAt ?? 0)).slice(0, places);
  const left = rows.filter((row) => !best.includes(row));
  const finished = left.filter((row) => row.isFinished).length;
  return { shown: rows.filter((row) => best.includes(row)), finished, waiting: left.length - finished };
}

function heading({ run, url, seconds }, columns, paint) {
  const time = `${seconds.toFixed(1)} s`;
  const place = `${url}  ·  label demo=${run}`;
  const gap = Math.max(2, columns - ' ARKITECT demo   '.length - place.length - time.length);
  return ` ${paint('ARKITECT demo', 'bold', 'cyan')}  ${paint(place, 'gray')}${' '.repeat(gap)}${paint(time, 'bold')}`;
}

function totals(board, columns, paint) {
  const parts = [
    ['running', board.count('running', 'cancelling'), 'running'],
    ['queued', board.count('queued', 'pending', 'blocked'), 'queued'],
    ['later', board.count('scheduled'), 'scheduled'],
    ['done', board.count('completed'), 'completed'],
    ['failed', board.count('failed'), 'failed'],
    ['cancelled', board.count('cancelled'), 'cancelled'],
  ];
  // With words and two digits everywhere it takes 79 columns.
  const named = ([word, count, state]) => [
    `${looks[state][0]} ${count}${columns < 79 ? '' : ` ${word}`}`,
    count ? looks[state][1] : 'gray',
  ];
  return ` ${parts.map((part) => paint(...named(part))).join('  ')}`;
}

function drawRow(row, columns, paint) {
  const [sign, color] = looks[row.status];
  const name = Math.min(32, Math.max(12, columns - 52));
  const bar = Math.max(5, columns - name - 33);
  return [
    ` ${paint(sign, color)}`,
    paint(fit(row.name, name), ...(row.isFinished ? ['dim'] : [])),
    paint(fit(row.priority, 8), row.priority === 'critical' ? 'magenta' : 'gray'),
    drawBar(row.status === 'completed' ? 100 : row.progress, bar, color, paint),
    paint(fit(note(row), 10), color),
    paint(row.attempt > 1 ? `try ${row.attempt}/${row.max_attempts}` : '', 'yellow'),
  ]
    .join(' ')
    .trimEnd();
}

/** Numbers stand under each other, words begin where they do. */
function note(row) {
  if (row.status === 'running') return `${Math.floor(row.progress)} %`.padStart(6);
  if (row.status === 'completed' && row.startedAt) return duration((row.finishedAt - row.startedAt) / 1_000).padStart(6);
  return ` ${row.status}`;
}

function drawBar(percent, width, color, paint) {
  const eighths = Math.round((Math.min(100, percent) / 100) * width * 8);
  const filled = '█'.repeat(Math.floor(eighths / 8)) + partial[eighths % 8];
  return paint(filled, color) + paint('·'.repeat(width - [...filled].length), 'gray');
}
