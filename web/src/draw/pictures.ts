// Whole pictures as SVG: matrices, arcs, all heads, tables. They show what the views on the page show, without scrolling.
import { columns, curve, middle, strength, strongestArcs } from './arcs';
import { LUT } from './colormap';
import { chooseLabels, shorten } from './labels';
import { columnSums, type Matrix, percent } from './matrix';
import { type Coloring, colorMatrix } from './scaling';
import { cellPaths, escaped, legend, short, text } from './svg';
import type { Maps } from './thumbnails';

export interface PictureStyle {
  foreground: string;
  muted: string;
  /** The color of arcs and bars. */
  accent: string;
  background: string;
  fontFamily: string;
}

/** Part of a picture. Its origin is its upper left corner. */
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
const LEGEND = 56;
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

/** A matrix with labels, caption and color scale. */
export function matrixFigure(
  matrix: Matrix,
  caption: string,
  style: PictureStyle,
  coloring: Coloring = colorMatrix(matrix),
): Figure {
  const n = matrix.labels.length;
  const labels = matrix.labels.map((label) => shorten(label));
  const margin = labelWidth(labels);
  const cell = Math.min(MAX_CELL, Math.max(MIN_CELL, MATRIX_SIDE / Math.max(1, n)));
  const side = n * cell;
  const top = margin + (caption === '' ? 0 : 20);
  const every = Math.max(1, Math.ceil(LABEL_FONT / cell));
  const words: string[] = [];
  for (const index of chooseLabels(matrix.labels, columnSums(matrix), every)) {
    const middleOf = (index + 0.5) * cell;
    const label = labels[index] ?? '';
    words.push(
      text(label, margin - 4, top + middleOf + 4, { size: LABEL_FONT, fill: style.muted, anchor: 'end' }),
      text(label, margin + middleOf + 4, top - 4, { size: LABEL_FONT, fill: style.muted, turned: -90 }),
    );
  }
  const cells = cellPaths(n, (at) => coloring.shades[at] ?? 0, coloring.lut);
  const scaleWidth = Math.max(180, Math.min(side, 320));
  const noteWidth = GLYPH * coloring.note.length;
  return {
    width: margin + Math.max(side, scaleWidth, noteWidth),
    height: top + side + LEGEND,
    markup: [
      caption === '' ? '' : text(caption, margin, 12, { size: 12, fill: style.foreground }),
      ...words,
      `<g transform="translate(${short(margin)} ${short(top)}) scale(${short(cell)})" shape-rendering="crispEdges">${cells}</g>`,
      `<g transform="translate(${short(margin)} ${short(top + side + 12)})">`,
      legend(coloring.lut, coloring.ticks, scaleWidth, style.muted),
      text(coloring.note, 0, 40, { size: 11, fill: style.muted }),
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
  const note = `Each word’s ${PER_QUERY} strongest; the thickest line is ${percent(matrix.max)}.`;
  return {
    width: ARCS_WIDTH,
    height: layout.height + 24,
    markup: [
      `<g fill="none" stroke="${style.accent}">${arcs.join('')}</g>`,
      ...words,
      text(note, 0, layout.height + 18, { size: 11, fill: style.muted }),
    ].join(''),
  };
}

/** The corner of the table of maps. */
const AXES = 'layer \\ head';

/** The end of the color scale of maps. */
const MAP_SCALE = 'the map’s greatest weight';

/** All layers × heads. */
export function mapsFigure(maps: Maps, style: PictureStyle): Figure {
  const step = MAP_SIDE + 4;
  const margin = GLYPH * AXES.length + 8;
  const top = 24;
  const n = maps.size * maps.size;
  const parts = [text(AXES, margin - 6, 12, { size: 11, fill: style.muted, anchor: 'end' })];
  for (let head = 0; head < maps.heads; head++) {
    parts.push(
      text(String(head), margin + head * step + MAP_SIDE / 2, 12, { size: 11, fill: style.muted, anchor: 'middle' }),
    );
  }
  for (let layer = 0; layer < maps.layers; layer++) {
    const y = top + layer * step;
    parts.push(text(String(layer), margin - 6, y + MAP_SIDE / 2 + 4, { size: 11, fill: style.muted, anchor: 'end' }));
    for (let head = 0; head < maps.heads; head++) {
      const start = (layer * maps.heads + head) * n;
      const cells = cellPaths(maps.size, (at) => maps.cells[start + at] ?? 0, LUT);
      const place = `translate(${short(margin + head * step)} ${y}) scale(${MAP_SIDE / Math.max(1, maps.size)})`;
      parts.push(`<g transform="${place}" shape-rendering="crispEdges">${cells}</g>`);
    }
  }
  const bottom = top + maps.layers * step;
  parts.push(
    `<g transform="translate(${short(margin)} ${bottom + 8})">`,
    legend(LUT, ['0', MAP_SCALE], 180, style.muted),
    '</g>',
  );
  return { width: margin + Math.max(180, maps.heads * step), height: bottom + LEGEND, markup: parts.join('') };
}

/** A table of words with numbers and bars. */
export interface Table {
  caption: string;
  /** The heading of the first column. */
  word: string;
  columns: readonly { heading: string; kind: 'number' | 'text' }[];
  rows: readonly { text: string; cells: readonly string[] /** 0 … 1 */; length: number }[];
}

const ROW = 18;
const COLUMN_GAP = 14;
const BAR = 120;
const TABLE_FONT = 12;
const TABLE_GLYPH = 7.3;
const CELL_LENGTH = 40;

/** A table of words, as the page shows it. */
export function tableFigure({ caption, word, columns: headings, rows }: Table, style: PictureStyle): Figure {
  const lines = rows.map(({ text: name, cells }) => [name, ...cells].map((cell) => shorten(cell, CELL_LENGTH)));
  const heads = [word, ...headings.map(({ heading }) => heading)];
  const widths = heads.map(
    (head, at) =>
      TABLE_GLYPH * Math.max(...[head, ...lines.map((line) => line[at] ?? '')].map((cell) => [...cell].length)),
  );
  const starts = widths.map((_, at) => widths.slice(0, at).reduce((sum, width) => sum + width + COLUMN_GAP, 0));
  const barStart = (starts.at(-1) ?? 0) + (widths.at(-1) ?? 0) + COLUMN_GAP;
  const place = (cell: string, at: number, y: number, fill: string) => {
    const isNumber = headings[at - 1]?.kind === 'number';
    const x = (starts[at] ?? 0) + (isNumber ? (widths[at] ?? 0) : 0);
    return text(cell, x, y, { size: TABLE_FONT, fill, anchor: isNumber ? 'end' : 'start' });
  };
  const markup = [
    text(caption, 0, 12, { size: 13, fill: style.foreground, isBold: true }),
    ...heads.map((head, at) => place(head, at, 12 + ROW, style.muted)),
    ...lines.flatMap((line, row) => {
      const y = 12 + (row + 2) * ROW;
      const width = Math.max(1, BAR * (rows[row]?.length ?? 0));
      return [
        ...line.map((cell, at) => place(cell, at, y, style.foreground)),
        `<rect x="${short(barStart)}" y="${y - 9}" width="${short(width)}" height="9" rx="2" fill="${style.accent}"/>`,
      ];
    }),
  ];
  return { width: barStart + BAR, height: (rows.length + 2) * ROW + 8, markup: markup.join('') };
}
