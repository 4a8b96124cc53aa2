// The JSON that the page exports. docs/JSON.md shows these types.
import type { Scaling } from '../draw/scaling';
import type { Unit } from '../generated/lists';
import type { LexemeHeat, Range, RelationsResult, SummaryResult, View } from '../generated/live';

/** Positions are zero-based lines and UTF-16 columns. Matrices are lists of rows: [query][key]. */
export interface PageExport {
  format: 'codegaze-page/1';
  text: string;
  /** The language of the syntax colors and of the definitions. */
  language: string;
  /** The view of the words. */
  view: View | null;
  /** The share of attention on special subwords. */
  sinkShare: number | null;
  /** Parts of the text that have no scores. */
  unscored: Range[];
  /** Every word of the text in the order of the text, also those of level 0. */
  words: LexemeHeat[];
  /** The lowest level that the editor showed. */
  minLevel: number;
  /** What the panes "Matrix" and "Head view" draw; `null` in the other panes. */
  matrix: PageMatrix | null;
  /** What the pane "Compare" draws. */
  comparison: PageComparison | null;
  /** What the pane "Model view" draws: [layer, head, query, key], one byte for each cell, as base64. */
  maps: { layers: number; heads: number; size: number; cells: string } | null;
  /** What the pane "Word" shows. */
  word: RelationsResult | null;
  /** What the pane "Summary" shows. */
  summary: SummaryResult | null;
}

export interface PageMatrix {
  view: View;
  unit: Unit;
  chunk: number;
  labels: readonly string[];
  /** The place of each word; `null` for special subwords. */
  ranges: readonly (Range | null)[];
  weights: number[][];
  /** How weights became colors. */
  scaling: Scaling;
}

export interface PageComparison {
  a: { name: string; weights: number[][] };
  b: { name: string; weights: number[][] };
  /** `b` minus `a`. */
  difference: number[][];
  labels: readonly string[];
  ranges: readonly (Range | null)[];
}
