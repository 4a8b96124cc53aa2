// A query × key matrix as plain data.

export interface Matrix {
  /** The labels of both axes. */
  labels: readonly string[];
  /** [query, key], row-major. */
  weights: Float32Array;
  /** The greatest weight; of a difference, the greatest distance from zero. */
  max: number;
}

export interface Cell {
  query: number;
  key: number;
}

export function weightOf(matrix: Matrix, { query, key }: Cell): number {
  return matrix.weights[query * matrix.labels.length + key] ?? 0;
}

/** Rows and columns `from` up to, but not including, `to`. */
export function crop(matrix: Matrix, from: number, to: number): Matrix {
  const n = matrix.labels.length;
  const labels = matrix.labels.slice(from, to);
  const weights = new Float32Array(labels.length ** 2);
  let max = 0;
  for (let row = 0; row < labels.length; row++) {
    const start = (from + row) * n + from;
    weights.set(matrix.weights.subarray(start, start + labels.length), row * labels.length);
  }
  for (const weight of weights) max = Math.max(max, weight);
  return { labels, weights, max };
}

/** The attention that each word receives. */
export function columnSums({ labels, weights }: Matrix): number[] {
  const n = labels.length;
  const sums = new Array<number>(n).fill(0);
  for (let at = 0; at < n * n; at++) sums[at % n] = (sums[at % n] ?? 0) + Math.abs(weights[at] ?? 0);
  return sums;
}

/** The greatest weights of a row or a column, greatest first. */
export function strongest(
  matrix: Matrix,
  axis: 'query' | 'key',
  at: number,
  count: number,
): { index: number; weight: number }[] {
  const n = matrix.labels.length;
  return Array.from({ length: n }, (_, index) => ({
    index,
    weight: weightOf(matrix, axis === 'query' ? { query: at, key: index } : { query: index, key: at }),
  }))
    .filter(({ weight }) => weight > 0)
    .sort((a, b) => b.weight - a.weight)
    .slice(0, count);
}

/** A weight as text, with two significant digits. */
export function percent(weight: number): string {
  const hundred = 100 * weight;
  if (hundred > 0 && hundred < 0.01) return '<0.01 %';
  return `${hundred.toFixed(hundred < 1 ? 2 : hundred < 10 ? 1 : 0)} %`;
}

/** A difference of weights as text, with its sign. */
export function signedPercent(difference: number): string {
  if (difference === 0) return '0';
  return `${difference < 0 ? '−' : '+'}${percent(Math.abs(difference))}`;
}
