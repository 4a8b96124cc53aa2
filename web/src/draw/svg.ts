// Pieces of SVG: cells as paths, labels as text. This module escapes everything that comes from source code.

export function escaped(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll(/[^\t\n\r\u{20}-\u{d7ff}\u{e000}-\u{fffd}\u{10000}-\u{10ffff}]/gu, '\u{fffd}');
}

/** A number with at most two decimals. */
export const short = (value: number): string => String(Math.round(100 * value) / 100);

export interface TextStyle {
  size: number;
  fill: string;
  anchor?: 'start' | 'middle' | 'end';
  isBold?: boolean;
  /** Degrees of rotation around the text's origin. */
  turned?: number;
}

export function text(content: string, x: number, y: number, style: TextStyle): string {
  const turn = style.turned ? ` transform="rotate(${style.turned} ${short(x)} ${short(y)})"` : '';
  const weight = style.isBold ? ' font-weight="bold"' : '';
  return `<text x="${short(x)}" y="${short(y)}" font-size="${style.size}" fill="${style.fill}" text-anchor="${
    style.anchor ?? 'start'
  }"${weight}${turn}>${escaped(content)}</text>`;
}

const hex = (lut: Uint8ClampedArray, at: number) =>
  `#${[0, 1, 2].map((channel) => (lut[4 * at + channel] ?? 0).toString(16).padStart(2, '0')).join('')}`;

/** A square of `n` × `n` cells as one path for each color. A cell is one unit wide; `shades` returns indices in `lut`. */
export function cellPaths(n: number, shades: (at: number) => number, lut: Uint8ClampedArray): string {
  const paths = new Map<number, string[]>();
  for (let row = 0; row < n; row++) {
    let start = 0;
    for (let column = 1; column <= n; column++) {
      const color = shades(row * n + start);
      if (column < n && shades(row * n + column) === color) continue;
      const runs = paths.get(color) ?? [];
      runs.push(`M${start} ${row}h${column - start}v1h-${column - start}z`);
      paths.set(color, runs);
      start = column;
    }
  }
  const drawn = [...paths].sort(([a], [b]) => a - b);
  return drawn.map(([color, runs]) => `<path fill="${hex(lut, color)}" d="${runs.join('')}"/>`).join('');
}

/** The color scale from left to right, with numbers below. */
export function legend(lut: Uint8ClampedArray, numbers: readonly string[], width: number, fill: string): string {
  const steps = 64;
  const step = width / steps;
  const bars = Array.from({ length: steps }, (_, at) => {
    const color = hex(lut, Math.round((255 * at) / (steps - 1)));
    return `<rect x="${short(at * step)}" width="${short(step + 0.5)}" height="10" fill="${color}"/>`;
  });
  const ticks = numbers.map((number, at) => {
    const place = at / (numbers.length - 1);
    const anchor = place === 0 ? 'start' : place === 1 ? 'end' : 'middle';
    return text(number, place * width, 24, { size: 11, fill, anchor });
  });
  return bars.join('') + ticks.join('');
}
