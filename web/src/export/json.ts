// What is shown as data.
import type { Heat, RelationsResult, SummaryResult } from '../generated/live';
import type { Compared } from '../panes/comparePane';
import type { Drawn } from '../panes/drawn';
import { decode } from '../view/heat';

export interface Shown {
  text: string;
  language: string;
  heat: Heat | null;
  drawn: Drawn | null;
  compared: Compared | null;
  word: RelationsResult | null;
  summary: SummaryResult | null;
}

const rowsOf = (weights: Float32Array, n: number): number[][] =>
  Array.from({ length: n }, (_, row) => Array.from(weights.subarray(row * n, (row + 1) * n)));

/** Positions are zero-based lines and UTF-16 columns, matrices are [query][key]. */
export function toJson({ text, language, heat, drawn, compared, word, summary }: Shown): string {
  const lines = text.split('\n');
  const value = {
    format: 'codegaze-page/1',
    text,
    language,
    view: heat?.view ?? null,
    complete: heat?.complete ?? false,
    sinkShare: heat?.sinkShare ?? null,
    unscored: heat?.unscored ?? [],
    words: decode(heat?.data ?? []).map(({ line, start, end, level }) => ({
      line,
      start,
      end,
      text: lines[line]?.slice(start, end) ?? '',
      level,
    })),
    matrix: drawn && {
      view: drawn.answer.view,
      unit: drawn.answer.unit,
      chunk: drawn.answer.chunk,
      labels: drawn.matrix.labels,
      ranges: drawn.ranges,
      weights: rowsOf(drawn.matrix.weights, drawn.matrix.labels.length),
    },
    comparison: compared && {
      a: { name: compared.captionA, weights: rowsOf(compared.a.weights, compared.a.labels.length) },
      b: { name: compared.captionB, weights: rowsOf(compared.b.weights, compared.b.labels.length) },
      difference: rowsOf(compared.difference.weights, compared.difference.labels.length),
      labels: compared.difference.labels,
      ranges: compared.ranges,
    },
    word,
    summary,
  };
  return `${JSON.stringify(value, null, 1)}\n`;
}
