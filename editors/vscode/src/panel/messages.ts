// The messages between the extension and the panel's page. Plain data; indices are places on the axes of the matrix.
import type { Fusion, MethodName, Unit } from '../../../../web/src/generated/lists';

export type PanelFormat = 'png' | 'svg' | 'json';

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
};

export interface MatrixMessage {
  type: 'matrix';
  /** File name and lines. */
  title: string;
  /** Why not all lines of the definition are drawn, or empty. */
  note: string;
  /** Model and view in words. */
  subtitle: string;
  labels: string[];
  /** Of each label, counted from 1; `null`: it is nowhere in the source. */
  lines: (number | null)[];
  /** base64 of f32, labels.length². */
  weights: string;
  max: number;
  /** The part to draw, of all labels. */
  from: number;
  to: number;
  hasDefinition: boolean;
  sinkShare: number;
  view: { method: MethodName; layers: number[]; heads: Fusion | number[] };
  model: { layers: number; heads: number; methods: { value: MethodName; name: string }[] };
}

export type ToPanel =
  | { type: 'state'; state: PanelState }
  | MatrixMessage
  /** What the heat in the editor means; `hasSwatches`: it has backgrounds or frames. */
  | { type: 'legend'; text: string; hasSwatches: boolean }
  /** Instead of a matrix: why there is none. */
  | { type: 'nothing'; text: string }
  | { type: 'busy' }
  /** The view of the source, in words, if it is not the panel's. */
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
  | { type: 'export'; format: PanelFormat };
