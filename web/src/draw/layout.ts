// Geometry of a matrix in a scrolling viewport: labels stay at the edges, cells move. No DOM.
import type { Cell } from './matrix';

export interface Viewport {
  width: number;
  height: number;
  scrollLeft: number;
  scrollTop: number;
}

export interface Layout {
  n: number;
  /** Side of a cell, in CSS pixels. */
  cell: number;
  /** Breadth of the labels on both axes. */
  margin: number;
  /** Side of the whole picture, labels included. */
  side: number;
  /** Every so-manieth label is drawn. */
  every: number;
  font: number;
}

export type Hit = { kind: 'cell'; cell: Cell } | { kind: 'query'; index: number } | { kind: 'key'; index: number };

const MIN_CELL = 1;
/** Few words are not blown up. */
const MAX_FITTED = 28;
const MAX_CELL = 64;
const MIN_LINE = 11;
const MAX_FONT = 13;

const MARGIN_SHARES = { width: 0.4, all: 0.25 };

/** Whether zoom 1 shows a matrix in its whole breadth, each cell at least a pixel, or all of it, however small. */
export type Fit = 'width' | 'all';

/** `labelWidth`: of the widest label at `MAX_FONT` pixels. */
export function layOut(
  n: number,
  viewport: { width: number; height: number },
  labelWidth: number,
  zoom: number,
  fit: Fit = 'width',
): Layout {
  const breadth = fit === 'all' ? Math.min(viewport.width, viewport.height) : viewport.width;
  const margin = Math.ceil(Math.min(labelWidth + 8, MARGIN_SHARES[fit] * breadth));
  const room = Math.max(1, breadth - margin);
  const fitted = n > 0 ? Math.min(MAX_FITTED, room / n) : MAX_FITTED;
  const cell = Math.min(MAX_CELL, Math.max(fit === 'all' ? 0 : MIN_CELL, fitted * zoom));
  const every = Math.max(1, Math.ceil(MIN_LINE / cell));
  return { n, cell, margin, side: margin + n * cell, every, font: Math.min(MAX_FONT, Math.max(9, cell * every - 2)) };
}

/** What lies at a point of the viewport. */
export function hitTest(layout: Layout, viewport: Viewport, x: number, y: number): Hit | null {
  const along = (at: number, scroll: number) => Math.floor((at - layout.margin + scroll) / layout.cell);
  const isInside = (index: number) => index >= 0 && index < layout.n;
  const key = x < layout.margin ? null : along(x, viewport.scrollLeft);
  const query = y < layout.margin ? null : along(y, viewport.scrollTop);
  if (key !== null && !isInside(key)) return null;
  if (query !== null && !isInside(query)) return null;
  if (query !== null && key !== null) return { kind: 'cell', cell: { query, key } };
  if (query !== null) return { kind: 'query', index: query };
  if (key !== null) return { kind: 'key', index: key };
  return null;
}

/** Where to scroll, along one axis, for `index` to be seen. */
export function scrollFor(layout: Layout, index: number, scroll: number, size: number): number {
  const start = index * layout.cell;
  const room = size - layout.margin;
  if (start < scroll) return start;
  if (start + layout.cell > scroll + room) return start + layout.cell - room;
  return scroll;
}

/** The cell that a key of the keyboard leads to; `null` for other keys. */
export function moved(from: Cell | null, key: string, n: number): Cell | null {
  const at = from ?? { query: 0, key: 0 };
  const clamp = (index: number) => Math.min(n - 1, Math.max(0, index));
  const PAGE = 10;
  switch (key) {
    case 'ArrowLeft':
      return { ...at, key: clamp(at.key - 1) };
    case 'ArrowRight':
      return { ...at, key: clamp(at.key + 1) };
    case 'ArrowUp':
      return { ...at, query: clamp(at.query - 1) };
    case 'ArrowDown':
      return { ...at, query: clamp(at.query + 1) };
    case 'PageUp':
      return { ...at, query: clamp(at.query - PAGE) };
    case 'PageDown':
      return { ...at, query: clamp(at.query + PAGE) };
    case 'Home':
      return { ...at, key: 0 };
    case 'End':
      return { ...at, key: n - 1 };
    default:
      return null;
  }
}
