// How the weights of a matrix become colors, and the legend of these colors.
import { type Scale, SEQUENTIAL, shade } from './colormap';
import { type Matrix, percent, signedPercent } from './matrix';

export const SCALINGS = ['clipped', 'full', 'log', 'rows'] as const;
export type Scaling = (typeof SCALINGS)[number];

/** For people: the name of each scaling, and how it works. */
export const SCALING_TEXTS: Record<Scaling, { name: string; what: string }> = {
  clipped: {
    name: 'clipped',
    what: 'The colors end at a high quantile of the weights, so that a few great weights do not hide the others.',
  },
  full: { name: 'full range', what: 'The colors end at the greatest weight.' },
  log: { name: 'logarithmic', what: 'Each step of color multiplies the weight by the same factor.' },
  rows: { name: 'per row', what: 'The colors of each row end at the greatest weight of this row.' },
};

/** The colors of a matrix. */
export interface Coloring {
  /** 256 colors as RGBA bytes. */
  lut: Uint8ClampedArray;
  /** For each cell, in the matrix's order, an index in `lut`. */
  shades: Uint8Array;
  /** The numbers along the color scale, at equal distances. */
  ticks: string[];
  /** Where the colors end, as a sentence. */
  note: string;
  /** A weight of this matrix as text. */
  format(weight: number): string;
}

/** Logarithmic colors begin at the greatest weight divided by this. */
const LOG_FACTOR = 1000;
const PLACES = [0, 0.25, 0.5, 0.75, 1];

/**
 * The weight at which clipped colors end. Half as many cells as there are rows have a greater weight. So a head in which every row has
 * one great weight keeps its range, and five great weights in thirty rows do not make the rest of the matrix dark.
 */
export function clippedEnd(matrix: Matrix): { end: number; quantile: number } {
  const n = matrix.labels.length;
  const sorted = Float32Array.from(matrix.weights, Math.abs).sort();
  const greater = Math.floor(n / 2);
  const end = sorted[sorted.length - 1 - greater] ?? 0;
  return end > 0 ? { end, quantile: 1 - greater / sorted.length } : { end: matrix.max, quantile: 1 };
}

export interface ColoringOptions {
  scale?: Scale;
  isSigned?: boolean;
  scaling?: Scaling;
  /** For matrices that share one color scale: where clipped colors end, and the greatest weight. */
  shared?: { end: number; max: number };
}

/** `isSigned`: the scale has zero in its middle. */
export function colorMatrix(matrix: Matrix, options: ColoringOptions = {}): Coloring {
  const { scale = SEQUENTIAL, isSigned = false, scaling = 'clipped', shared } = options;
  const n = matrix.labels.length;
  const max = shared?.max ?? matrix.max;
  const { end, quantile } = shared ? { end: shared.end, quantile: null } : clippedEnd(matrix);
  const format = isSigned ? signedPercent : percent;
  const at = scaling === 'clipped' ? end : max;
  const shades = new Uint8Array(n * n);
  for (let row = 0; row < n; row++) {
    const weights = matrix.weights.subarray(row * n, (row + 1) * n);
    const rowEnd = scaling === 'rows' ? weights.reduce((most, weight) => Math.max(most, Math.abs(weight)), 0) : at;
    for (let key = 0; key < n; key++) {
      const weight = weights[key] ?? 0;
      shades[row * n + key] =
        scaling === 'log' ? shade(scale, logarithmic(weight, max), 1) : shade(scale, weight, rowEnd);
    }
  }
  const places = isSigned ? PLACES.map((place) => 2 * place - 1) : PLACES;
  return {
    lut: scale.lut,
    shades,
    format,
    ticks: places.map((place) => tick(place, scaling, at, format)),
    note: note(),
  };

  function note(): string {
    if (scaling === 'rows') return 'Each row’s colors end at its greatest weight; the numbers are parts of it.';
    if (scaling === 'log') return `The scale is logarithmic and begins at 1/${LOG_FACTOR} of the greatest weight.`;
    if (scaling === 'full' || end >= max) return 'The colors end at the greatest weight.';
    const where = quantile === null ? '' : ` (the ${Number((100 * quantile).toFixed(1))} % quantile)`;
    return `The colors end at ${percent(end)}${where}; the greatest weight is ${percent(max)}.`;
  }
}

/** The square of a weight's place on the logarithmic scale, because scales take the square root of what they get. */
function logarithmic(weight: number, max: number): number {
  const part = max > 0 ? Math.abs(weight) / max : 0;
  const place = part > 0 ? Math.max(0, 1 + Math.log(part) / Math.log(LOG_FACTOR)) : 0;
  return Math.sign(weight) * place * place;
}

/** The weight at a place of the color scale, -1 … 1. */
function tick(place: number, scaling: Scaling, end: number, format: (weight: number) => string): string {
  const size = Math.abs(place);
  if (scaling === 'log') {
    return size === 0 && format === signedPercent
      ? '0'
      : format(Math.sign(place || 1) * end * LOG_FACTOR ** (size - 1));
  }
  return format(Math.sign(place) * (scaling === 'rows' ? 1 : end) * size * size);
}
