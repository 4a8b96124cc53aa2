// The geometry of a matrix in a scrolling viewport. Labels stay at the edges; cells move. Independent of the DOM.
import type { Cell } from './matrix';

export interface Viewport {
  width: number;
  height: number;
  scrollLeft: number;
  scrollTop: number;
}

export interface Layout {
  n: number;
  /** The side of a cell, in CSS pixels. */
  cell: number;
  /** The width of the labels on both axes. */
  margin: number;
  /** The side of the whole picture with its labels. */
  side: number;
  /** Labels that are drawn are at least this many words apart. */
  every: number;
  font: number;
}

export type Hit = { kind: 'cell'; cell: Cell } | { kind: 'query'; index: number } | { kind: 'key'; index: number };

const MIN_CELL = 1;
/** A small matrix is not enlarged beyond this. */
const MAX_FITTED = 28;
const MAX_CELL = 64;
const MIN_LINE = 11;
const MAX_FONT = 13;

const MARGIN_SHARES = { width: 0.4, all: 0.25 };

/** At zoom 1, `width` shows the matrix in its whole width with cells of at least a pixel; `all` shows all of it, with cells of any size. */
export type Fit = 'width' | 'all';

/** `labelWidth`: the width of the widest label at `MAX_FONT` pixels. */
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

/** The cell or label at a point of the viewport. */
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

/** The scroll position along one axis at which `index` is visible. */
export function scrollFor(layout: Layout, index: number, scroll: number, size: number): number {
  const start = index * layout.cell;
  const room = size - layout.margin;
  if (start < scroll) return start;
  if (start + layout.cell > scroll + room) return start + layout.cell - room;
  return scroll;
}

/** The cell to which a key moves. `null` for other keys. */
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
