// The language server's own requests, notifications and commands. `just types` writes this file.
import type { MethodName, Unit } from './lists';
import type { ModelOrigin, Position, Range, View, ViewOptions } from './live';

export type HeatmapParams = {
  textDocument: {
    uri: string;
  };
  range?: Range;
};

export type ExplainParams = {
  textDocument: {
    uri: string;
  };
  position: Position;
};

export type RelationsParams = {
  textDocument: {
    uri: string;
  };
  position: Position;
  limit?: number;
};

export type MatrixParams = {
  textDocument: {
    uri: string;
  };
  position?: Position;
  chunk?: number;
  view?: ViewOptions;
  unit?: Unit;
};

export type ThumbnailsParams = {
  textDocument: {
    uri: string;
  };
  position?: Position;
  chunk?: number;
  size?: number;
};

export type ModelResult = {
  state: LoadState;
  message: string | null;
  requested: string;
  id: string | null;
  revision: string | null;
  source: ModelOrigin | null;
  embedded: boolean;
  layers: number;
  heads: number;
  hiddenSize: number;
  maxTokens: number;
  precision: string;
  device: string;
  view: View | null;
  methods: MethodName[];
  /** What a user should know about how the model was read, such as a task head that is not used. */
  notes: string[];
  cache: Cache;
};

/** Whether the model can be used. */
export type LoadState = 'loading' | 'ready' | 'downloading' | 'error';

export type Cache = {
  entries: number;
  bytes: number;
  limitBytes: number;
  hits: number;
  misses: number;
  evictions: number;
};

export type Status = {
  state: LoadState;
  message: string | null;
  model: string | null;
  embedded: boolean;
  percent: number | null;
  analysisMs: number | null;
  analysisUri: string | null;
  notes: string[];
  view: View | null;
};

export type HeatmapChanged = {
  uri: string;
  version: number;
  complete: boolean;
  percent: number;
};

/** `HeatmapCommand` of `docs/protocol.md`, without `uri`. */
export type HeatmapCommand = {
  format?: HeatmapFormat;
  kind?: PictureKind;
  range?: Range;
  position?: Position;
  chunk?: number;
  unit?: Unit;
  view?: ViewOptions;
  theme?: Theme;
  colormap?: string;
  tokens?: boolean;
  attention?: boolean;
  path?: string;
  open?: boolean;
};

/** What is returned or written. */
export type HeatmapFormat = 'json' | 'png' | 'svg' | 'html';

/** What a picture shows. */
export type PictureKind = 'matrix' | 'source';

/** The background of shaded source. */
export type Theme = 'light' | 'dark';

export type HeatmapCommandResult = {
  mimeType: string;
  encoding: 'utf8' | 'base64';
  data: string | null;
  path: string | null;
  version: number;
  view: View;
};
