// What the page shows, as JSON.
import type { Scaling } from '../draw/scaling';
import type { Maps } from '../draw/thumbnails';
import type { Heat, LexemeHeat, RelationsResult, SummaryResult } from '../generated/live';
import type { Compared } from '../panes/comparePane';
import type { Drawn } from '../panes/drawn';
import type { PageExport } from './format';

export interface Shown {
  text: string;
  language: string;
  heat: Heat | null;
  minLevel: number;
  scaling: Scaling;
  drawn: Drawn | null;
  compared: Compared | null;
  maps: Maps | null;
  word: RelationsResult | null;
  summary: SummaryResult | null;
}

const rowsOf = (weights: Float32Array, n: number): number[][] =>
  Array.from({ length: n }, (_, row) => Array.from(weights.subarray(row * n, (row + 1) * n)));

function base64Of(bytes: Uint8Array): string {
  let binary = '';
  for (const byte of bytes) binary += String.fromCharCode(byte);
  return btoa(binary);
}

/** `words`: all words of the text, in any order. */
export function toJson(shown: Shown, words: readonly LexemeHeat[]): string {
  const { text, language, heat, minLevel, scaling, drawn, compared, maps, word, summary } = shown;
  const value: PageExport = {
    format: 'codegaze-page/1',
    text,
    language,
    view: heat?.view ?? null,
    sinkShare: heat?.sinkShare ?? null,
    unscored: heat?.unscored ?? [],
    words: [...words].sort(({ range: a }, { range: b }) => {
      return a.start.line - b.start.line || a.start.character - b.start.character;
    }),
    minLevel,
    matrix: drawn && {
      view: drawn.answer.view,
      unit: drawn.answer.unit,
      chunk: drawn.answer.chunk,
      labels: drawn.matrix.labels,
      ranges: drawn.ranges,
      weights: rowsOf(drawn.matrix.weights, drawn.matrix.labels.length),
      scaling,
    },
    comparison: compared && {
      a: { name: compared.captionA, weights: rowsOf(compared.a.weights, compared.a.labels.length) },
      b: { name: compared.captionB, weights: rowsOf(compared.b.weights, compared.b.labels.length) },
      difference: rowsOf(compared.difference.weights, compared.difference.labels.length),
      labels: compared.difference.labels,
      ranges: compared.ranges,
    },
    maps: maps && { layers: maps.layers, heads: maps.heads, size: maps.size, cells: base64Of(maps.cells) },
    word,
    summary,
  };
  return `${JSON.stringify(value, null, 1)}\n`;
}
