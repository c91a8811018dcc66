/** The summary as text: a block per measure, a line per system. */
export function toTable(summary) {
  return summary.map(block).join('\n\n');
}

function block({ suite, name, unit, better, base, systems }) {
  const head = ['', 'median', 'min', 'max', base ? 'to the first' : 'ours / it'];
  const rows = systems.map((row) => [
    row.label,
    ...[row.median, row.min, row.max].map(number),
    row.ratio === undefined ? '' : row.ratio.toFixed(2),
  ]);
  const widths = head.map((_, column) => Math.max(10, ...[head, ...rows].map((row) => row[column].length)));
  const line = (row) => row.map((cell, column) => (column ? cell.padStart(widths[column]) : cell.padEnd(widths[column]))).join('  ');
  return [`${suite}: ${name} (${unit}, ${better} is better)`, line(head), ...rows.map(line)].map((text) => text.trimEnd()).join('\n');
}

/** Three digits that mean something. */
export function number(value) {
  if (!Number.isFinite(value)) return '-';
  if (value >= 1_000) return Math.round(value).toLocaleString('en');
  return value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2);
}
