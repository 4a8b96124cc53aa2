// The difference of two matrices of the same source.
import type { Matrix } from './matrix';

/** The indices at which two lists have equal entries, ascending in both. `null` equals nothing. */
export function common(a: readonly (string | null)[], b: readonly (string | null)[]): { inA: number[]; inB: number[] } {
  const places = new Map<string, number[]>();
  for (const [at, key] of b.entries()) {
    if (key === null) continue;
    const list = places.get(key);
    if (list) list.push(at);
    else places.set(key, [at]);
  }
  const inA: number[] = [];
  const inB: number[] = [];
  let last = -1;
  for (const [at, key] of a.entries()) {
    const list = key === null ? undefined : places.get(key);
    const found = list?.find((place) => place > last);
    if (found === undefined) continue;
    inA.push(at);
    inB.push(found);
    last = found;
  }
  return { inA, inB };
}

/** The rows and columns of `indices`. Weights do not change. */
export function pick(matrix: Matrix, indices: readonly number[]): Matrix {
  const n = matrix.labels.length;
  const weights = new Float32Array(indices.length ** 2);
  let max = 0;
  let at = 0;
  for (const query of indices) {
    for (const key of indices) {
      const weight = matrix.weights[query * n + key] ?? 0;
      weights[at++] = weight;
      max = Math.max(max, weight);
    }
  }
  return { labels: indices.map((index) => matrix.labels[index] ?? ''), weights, max };
}

/** `b` minus `a`, which have the same words. `max` is the greatest distance from zero. */
export function subtract(a: Matrix, b: Matrix): Matrix {
  if (a.weights.length !== b.weights.length) {
    throw new RangeError(
      `a matrix of ${a.weights.length} weights cannot be subtracted from one of ${b.weights.length}`,
    );
  }
  const weights = b.weights.map((weight, at) => weight - (a.weights[at] ?? 0));
  let max = 0;
  for (const weight of weights) max = Math.max(max, Math.abs(weight));
  return { labels: b.labels, weights, max };
}

/** Half the sum of a row's absolute differences: the share of its attention that went elsewhere. */
export function divertedShare(difference: Matrix, query: number): number {
  const n = difference.labels.length;
  let sum = 0;
  for (const weight of difference.weights.subarray(query * n, (query + 1) * n)) sum += Math.abs(weight);
  return sum / 2;
}
