// The messages between the extension and the panel's page. Plain data; indices are places on the axes of the matrix.
import type { Scaling } from '../../../../web/src/draw/scaling';
import type { Aggregate, Fusion, MethodName, Unit } from '../../../../web/src/generated/lists';

export type PanelFormat = 'png' | 'svg' | 'json';

/** One choice of a picker. */
export interface Choice {
  value: string;
  text: string;
  /** What the choice means. */
  title?: string;
}

/** A picker: its choices, and the chosen one. */
export interface Control {
  choices: Choice[];
  value: string;
}

export type Controls = Record<'method' | 'layer' | 'head' | 'aggregate', Control>;

/** What the user chose in the panel. It survives a reload. */
export interface PanelState {
  uri: string;
  line: number;
  character: number;
  method: MethodName | null;
  layer: number | 'last' | 'all' | null;
  head: number | Fusion;
  unit: Unit;
  /** The definition at the cursor alone, or the whole chunk. */
  part: 'definition' | 'chunk';
  isFollowing: boolean;
  hasThumbnails: boolean;
  zoom: number;
  /** How weights become colors. */
  scaling: Scaling;
}

export const INITIAL_STATE: PanelState = {
  uri: '',
  line: 0,
  character: 0,
  method: null,
  layer: null,
  head: 'mean',
  unit: 'lexeme',
  part: 'definition',
  isFollowing: true,
  hasThumbnails: false,
  zoom: 1,
  scaling: 'clipped',
};

export interface MatrixMessage {
  type: 'matrix';
  /** File name and lines. */
  title: string;
  /** Why not all lines of the definition are drawn, or empty. */
  note: string;
  /** Model and view in words. */
  subtitle: string;
  /** For screen readers: what is drawn. */
  description: string;
  labels: string[];
  /** Of each label, such as `line 3`; empty if it is nowhere in the source. */
  places: string[];
  /** In the place of a word that attends to itself. */
  itself: string;
  /** base64 of f32, labels.length². */
  weights: string;
  max: number;
  /** The part to draw, of all labels. */
  from: number;
  to: number;
  hasDefinition: boolean;
  /** What happened to the attention on special subwords, or empty. */
  sinks: string;
  view: { layers: number[]; heads: Fusion | number[] };
  controls: Controls;
}

export type ToPanel =
  | { type: 'state'; state: PanelState }
  | MatrixMessage
  /** What the heat in the editor means; `hasSwatches`: it has backgrounds or frames. */
  | { type: 'legend'; text: string; hasSwatches: boolean }
  /** Instead of a matrix: why there is none. */
  | { type: 'nothing'; text: string }
  | { type: 'busy' }
  /** Says that the source shows another view, and which. `null`: it shows the panel's. */
  | { type: 'source-view'; text: string | null }
  /** The word at the editor's cursor. */
  | { type: 'cursor'; index: number | null }
  | { type: 'maps'; layers: number; heads: number; size: number; cells: string };

export type FromPanel =
  /** The source shows the panel's view from now on. */
  | { type: 'show-in-source' }
  /** The panel shows the source's view from now on. */
  | { type: 'show-source-view' }
  | { type: 'ready' }
  | { type: 'choose'; state: Partial<PanelState> }
  | { type: 'point'; cell: { query: number; key: number } | null }
  | { type: 'jump'; index: number }
  /** Changes the scores of words, which the source shows; no aggregate changes a matrix. */
  | { type: 'choose-aggregate'; aggregate: Aggregate }
  | { type: 'export-data' }
  /** The file with the picture that is drawn. */
  | { type: 'export-picture'; format: 'png' | 'svg'; content: Uint8Array }
  | { type: 'failed'; text: string };
