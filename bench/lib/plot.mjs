import { number } from './table.mjs';

const width = 860;
const labelWidth = 250;
const barWidth = 440;
const lineHeight = 22;
const headHeight = 34;
const colours = { first: '#0b6e4f', other: '#8a94a6', spread: '#1f2933', text: '#1f2933', faint: '#5b6675' };

/** The summary as SVG: a panel per measure, a bar per system (median) with a line from the smallest to the largest value. */
export function toSvg(summary, caption) {
  let top = 46;
  const panels = summary.map((measure) => {
    const drawn = panel(measure, top);
    top += headHeight + measure.systems.length * lineHeight + 14;
    return drawn;
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${top}" viewBox="0 0 ${width} ${top}" font-family="system-ui, sans-serif" font-size="13">`,
    `<rect width="100%" height="100%" fill="#fff"/>`,
    text(16, 26, caption, `fill="${colours.faint}"`),
    ...panels,
    '</svg>\n',
  ].join('\n');
}

function panel({ suite, name, unit, better, systems }, top) {
  const longest = Math.max(...systems.map(({ max }) => max)) || 1;
  const x = (value) => labelWidth + (value / longest) * barWidth;
  const bars = systems.map(({ label, median, min, max, values }, index) => {
    const y = top + headHeight + index * lineHeight;
    const middle = y + lineHeight / 2 - 2;
    const spread =
      values.length > 1
        ? `<path d="M${x(min).toFixed(1)} ${middle}H${x(max).toFixed(1)}" stroke="${colours.spread}" stroke-width="2"/>`
        : '';
    return [
      text(labelWidth - 8, middle + 4, label, `text-anchor="end" fill="${colours.text}"`),
      `<rect x="${labelWidth}" y="${y}" width="${(x(median) - labelWidth).toFixed(1)}" height="${lineHeight - 5}" fill="${index ? colours.other : colours.first}"/>`,
      spread,
      text(x(max) + 8, middle + 4, number(median), `fill="${colours.text}"`),
    ].join('');
  });
  return (
    text(16, top + 20, `${suite}: ${name} (${unit}, ${better} is better)`, `font-weight="600" fill="${colours.text}"`) + bars.join('\n')
  );
}

function text(x, y, content, attributes) {
  const safe = content.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
  return `<text x="${x.toFixed(1)}" y="${y}" ${attributes}>${safe}</text>`;
}
