// Whole pictures as SVG: matrices, arcs, all heads. What the views on the page draw, without scrolling.
import { columns, curve, middle, strength, strongestArcs } from './arcs';
import { LUT, type Scale, SEQUENTIAL } from './colormap';
import { shorten } from './labels';
import { signedTicks, ticks } from './legend';
import type { Matrix } from './matrix';
import { cellPaths, escaped, legend, shadesOf, short, text } from './svg';
import type { Maps } from './thumbnails';

export interface PictureStyle {
  foreground: string;
  muted: string;
  /** Of arcs. */
  accent: string;
  background: string;
  fontFamily: string;
}

/** Part of a picture, drawn from its own upper left. */
export interface Figure {
  width: number;
  height: number;
  markup: string;
}

const GLYPH = 6.7;
const LABEL_FONT = 11;
const PADDING = 18;
const GAP = 28;
const TITLE = 44;
const MATRIX_SIDE = 640;
const MIN_CELL = 2;
const MAX_CELL = 20;
const LEGEND = 40;
const ARCS_WIDTH = 640;
const PER_QUERY = 5;
const THRESHOLD = 0.01;
const MAP_SIDE = 72;

/** Puts figures next to each other under a title. */
export function picture(title: string, subtitle: string, figures: readonly Figure[], style: PictureStyle): string {
  const inner = figures.reduce((sum, { width }) => sum + width, 0) + GAP * Math.max(0, figures.length - 1);
  const width = Math.ceil(Math.max(inner, GLYPH * Math.max(title.length * 1.25, subtitle.length)) + 2 * PADDING);
  const height = Math.ceil(Math.max(0, ...figures.map((figure) => figure.height)) + TITLE + 2 * PADDING);
  let x = PADDING;
  const placed = figures.map((figure) => {
    const group = `<g transform="translate(${short(x)} ${PADDING + TITLE})">${figure.markup}</g>`;
    x += figure.width + GAP;
    return group;
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}"`,
    ` font-family="${escaped(style.fontFamily)}" role="img" aria-label="${escaped(`${title}. ${subtitle}`)}">`,
    `<title>${escaped(title)}</title>`,
    `<rect width="${width}" height="${height}" fill="${style.background}"/>`,
    text(title, PADDING, PADDING + 12, { size: 15, fill: style.foreground, isBold: true }),
    text(subtitle, PADDING, PADDING + 30, { size: 12, fill: style.muted }),
    ...placed,
    '</svg>',
  ].join('');
}

const labelWidth = (labels: readonly string[]) => GLYPH * Math.max(1, ...labels.map((label) => [...label].length)) + 8;

/** A matrix with labels, caption and color scale; with a `scale` that is signed, its numbers are, too. */
export function matrixFigure(
  matrix: Matrix,
  caption: string,
  style: PictureStyle,
  signed: Scale | null = null,
): Figure {
  const n = matrix.labels.length;
  const scale = signed ?? SEQUENTIAL;
  const labels = matrix.labels.map((label) => shorten(label));
  const margin = labelWidth(labels);
  const cell = Math.min(MAX_CELL, Math.max(MIN_CELL, MATRIX_SIDE / Math.max(1, n)));
  const side = n * cell;
  const top = margin + (caption === '' ? 0 : 20);
  const every = Math.max(1, Math.ceil(LABEL_FONT / cell));
  const words: string[] = [];
  for (let index = Math.floor(every / 2); index < n; index += every) {
    const middleOf = (index + 0.5) * cell;
    const label = labels[index] ?? '';
    words.push(
      text(label, margin - 4, top + middleOf + 4, { size: LABEL_FONT, fill: style.muted, anchor: 'end' }),
      text(label, margin + middleOf + 4, top - 4, { size: LABEL_FONT, fill: style.muted, turned: -90 }),
    );
  }
  const numbers = signed ? signedTicks(matrix.max) : ticks(matrix.max);
  const cells = cellPaths(n, shadesOf(matrix.weights, matrix.max, scale), scale.lut);
  const scaleWidth = Math.max(180, Math.min(side, 320));
  return {
    width: margin + Math.max(side, scaleWidth),
    height: top + side + LEGEND,
    markup: [
      caption === '' ? '' : text(caption, margin, 12, { size: 12, fill: style.foreground }),
      ...words,
      `<g transform="translate(${short(margin)} ${short(top)}) scale(${short(cell)})" shape-rendering="crispEdges">${cells}</g>`,
      `<g transform="translate(${short(margin)} ${short(top + side + 12)})">`,
      legend(scale, numbers, scaleWidth, style.muted),
      '</g>',
    ].join(''),
  };
}

/** The head view: all words, the strongest arcs of each. */
export function arcsFigure(matrix: Matrix, style: PictureStyle): Figure {
  const labels = matrix.labels.map((label) => shorten(label));
  const layout = columns(labels.length, ARCS_WIDTH, labelWidth(labels));
  const arcs = strongestArcs(matrix, PER_QUERY, THRESHOLD).map((arc) => {
    const [x0 = 0, y0 = 0, ...rest] = curve(layout, arc);
    const strong = strength(arc.weight, matrix.max);
    return `<path d="M${short(x0)} ${short(y0)}C${rest.map(short).join(' ')}" stroke-width="${short(
      0.5 + 3 * strong ** 2,
    )}" stroke-opacity="${short(0.5 * strong)}"/>`;
  });
  const words = labels.flatMap((label, index) => {
    const y = middle(layout, index) + 4;
    const fill = style.foreground;
    return [
      text(label, layout.left - 4, y, { size: 12, fill, anchor: 'end' }),
      text(label, layout.right + 4, y, { size: 12, fill }),
    ];
  });
  return {
    width: ARCS_WIDTH,
    height: layout.height,
    markup: `<g fill="none" stroke="${style.accent}">${arcs.join('')}</g>${words.join('')}`,
  };
}

/** All layers × heads. */
export function mapsFigure(maps: Maps, style: PictureStyle): Figure {
  const step = MAP_SIDE + 4;
  const margin = 24;
  const n = maps.size * maps.size;
  const parts: string[] = [];
  for (let head = 0; head < maps.heads; head++) {
    parts.push(
      text(String(head), margin + head * step + MAP_SIDE / 2, 12, { size: 11, fill: style.muted, anchor: 'middle' }),
    );
  }
  for (let layer = 0; layer < maps.layers; layer++) {
    const y = margin + layer * step;
    parts.push(text(String(layer), margin - 6, y + MAP_SIDE / 2 + 4, { size: 11, fill: style.muted, anchor: 'end' }));
    for (let head = 0; head < maps.heads; head++) {
      const start = (layer * maps.heads + head) * n;
      const cells = cellPaths(maps.size, (at) => maps.cells[start + at] ?? 0, LUT);
      const place = `translate(${margin + head * step} ${y}) scale(${MAP_SIDE / Math.max(1, maps.size)})`;
      parts.push(`<g transform="${place}" shape-rendering="crispEdges">${cells}</g>`);
    }
  }
  return { width: margin + maps.heads * step, height: margin + maps.layers * step, markup: parts.join('') };
}
