// The geometry of the head view: queries in the left column, keys in the right one, and an arc for each weight. Independent of the DOM.
import { type Matrix, weightOf } from './matrix';

export interface Arc {
  query: number;
  key: number;
  weight: number;
}

export interface Columns {
  n: number;
  row: number;
  /** The end of the left column, and the start of the right one. */
  left: number;
  right: number;
  height: number;
}

export type Side = 'query' | 'key';

/** A word of the head view. */
export interface Pointed {
  side: Side;
  index: number;
}

export const ROW = 18;
const GAP = 8;
const MIN_ARCS = 80;
const MAX_COLUMN_SHARE = 0.35;
const COLUMN_PADDING = 10;
const PAGE = 10;

/** `labelWidth`: the width of the widest label. */
export function columns(n: number, width: number, labelWidth: number): Columns {
  const column = Math.min(labelWidth + COLUMN_PADDING, MAX_COLUMN_SHARE * width);
  const left = column + GAP;
  const right = Math.max(left + MIN_ARCS, width - column - GAP);
  return { n, row: ROW, left, right, height: n * ROW };
}

/** The middle of a word, measured from the top. */
export function middle({ row }: Columns, index: number): number {
  return (index + 0.5) * row;
}

/** The arc as a cubic Bézier curve. */
export function curve(layout: Columns, { query, key }: { query: number; key: number }): readonly number[] {
  const [from, to] = [middle(layout, query), middle(layout, key)];
  const half = (layout.left + layout.right) / 2;
  return [layout.left, from, half, from, half, to, layout.right, to];
}

/** The `perQuery` strongest arcs of each query, the weakest first, so that strong arcs are drawn on top. */
export function strongestArcs(matrix: Matrix, perQuery: number, threshold: number): Arc[] {
  const n = matrix.labels.length;
  const arcs: Arc[] = [];
  for (let query = 0; query < n; query++) {
    // Sorting whole rows would be too slow while the user types.
    const best: Arc[] = [];
    for (let key = 0; key < n; key++) {
      const weight = matrix.weights[query * n + key] ?? 0;
      if (weight < threshold || (best.length === perQuery && weight <= (best.at(-1)?.weight ?? 0))) continue;
      const place = best.findIndex((arc) => arc.weight < weight);
      best.splice(place < 0 ? best.length : place, 0, { query, key, weight });
      if (best.length > perQuery) best.pop();
    }
    arcs.push(...best);
  }
  return arcs.sort((a, b) => a.weight - b.weight);
}

/** All arcs of one word with at least `threshold`, the weakest first. */
export function arcsOf(matrix: Matrix, { side, index }: Pointed, threshold: number): Arc[] {
  const arcs = Array.from({ length: matrix.labels.length }, (_, other) => {
    const cell = side === 'query' ? { query: index, key: other } : { query: other, key: index };
    return { ...cell, weight: weightOf(matrix, cell) };
  });
  return arcs.filter(({ weight }) => weight >= threshold).sort((a, b) => a.weight - b.weight);
}

/** The strength of an arc, 0 … 1: the square root, as for cells. */
export function strength(weight: number, max: number): number {
  return max > 0 ? Math.sqrt(Math.min(1, Math.max(0, weight / max))) : 0;
}

/** The word at a point. `null` between the columns. */
export function wordAt(layout: Columns, x: number, y: number): Pointed | null {
  const index = Math.floor(y / layout.row);
  if (index < 0 || index >= layout.n) return null;
  if (x <= layout.left) return { side: 'query', index };
  if (x >= layout.right) return { side: 'key', index };
  return null;
}

/** The word to which a key moves. `null` for other keys. */
export function stepped(from: Pointed | null, key: string, n: number): Pointed | null {
  const at = from ?? { side: 'query' as const, index: 0 };
  const to = (index: number): Pointed => ({ ...at, index: Math.min(n - 1, Math.max(0, index)) });
  switch (key) {
    case 'ArrowUp':
      return to(at.index - 1);
    case 'ArrowDown':
      return from ? to(at.index + 1) : at;
    case 'PageUp':
      return to(at.index - PAGE);
    case 'PageDown':
      return to(at.index + PAGE);
    case 'Home':
      return to(0);
    case 'End':
      return to(n - 1);
    case 'ArrowLeft':
      return { ...at, side: 'query' };
    case 'ArrowRight':
      return { ...at, side: 'key' };
    default:
      return null;
  }
}
