const codes = { bold: 1, dim: 2, red: 31, green: 32, yellow: 33, blue: 34, magenta: 35, cyan: 36, gray: 90 };

/** `paint(text, ...styles)`, which leaves the text alone where colour is not wanted. */
export function painter(color) {
  return (text, ...styles) => (color && styles.length ? `\u001b[${styles.map((style) => codes[style]).join(';')}m${text}\u001b[0m` : text);
}

/** Sign and colour of every state. */
export const looks = {
  pending: ['·', 'gray'],
  scheduled: ['◷', 'magenta'],
  blocked: ['·', 'gray'],
  queued: ['◦', 'blue'],
  running: ['▶', 'cyan'],
  cancelling: ['◼', 'yellow'],
  completed: ['✔', 'green'],
  failed: ['✘', 'red'],
  cancelled: ['◼', 'yellow'],
};

export function fit(text, width) {
  const characters = [...text];
  return characters.length > width ? `${characters.slice(0, width - 1).join('')}…` : text.padEnd(width + text.length - characters.length);
}

export function duration(seconds) {
  return seconds < 1 ? `${Math.round(seconds * 1_000)} ms` : `${seconds.toFixed(1)} s`;
}
