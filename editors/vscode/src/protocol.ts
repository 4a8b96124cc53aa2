// The server's own requests and notifications, as docs/protocol.md has them.
import {
  NotificationType,
  type Position,
  type Range,
  RequestType,
  type TextDocumentIdentifier,
} from 'vscode-languageclient/node';
import type {
  RelatedLexeme,
  RelationsResult,
  ThumbnailsResult,
  Unit,
  MatrixResult as WebMatrixResult,
} from '../../../web/src/client/messages';
import type { MethodName } from '../../../web/src/generated/lists';
import type { View, ViewOptions } from '../../../web/src/view/view';

export type { MethodName, RelatedLexeme, RelationsResult, ThumbnailsResult, Unit, View, ViewOptions };

/** As over HTTP, and of which document. */
export interface MatrixResult extends WebMatrixResult {
  uri: string;
}

export interface HeatmapParams {
  textDocument: TextDocumentIdentifier;
  range?: Range;
}

export interface HeatmapResult {
  uri: string;
  version: number;
  view: View;
  levels: 5;
  encoding: 'utf-8' | 'utf-16' | 'utf-32';
  complete: boolean;
  unscored: Range[];
  data: number[];
}

export interface RelationsParams {
  textDocument: TextDocumentIdentifier;
  position: Position;
  limit?: number;
}

export interface MatrixParams {
  textDocument: TextDocumentIdentifier;
  position?: Position;
  chunk?: number;
  view?: ViewOptions;
  unit?: Unit;
}

export interface ThumbnailsParams {
  textDocument: TextDocumentIdentifier;
  position?: Position;
  chunk?: number;
  size?: number;
}

export type ModelState = 'loading' | 'ready' | 'downloading' | 'error';

export interface ModelResult {
  state: ModelState;
  message: string | null;
  requested: string;
  id: string | null;
  revision: string | null;
  source: 'embedded' | 'directory' | 'hub' | null;
  embedded: boolean;
  layers: number;
  heads: number;
  hiddenSize: number;
  maxTokens: number;
  precision: string;
  device: string;
  view: View | null;
  methods: MethodName[];
}

export interface Status {
  state: ModelState;
  message: string | null;
  model: string | null;
  embedded: boolean;
  percent: number | null;
  analysisMs: number | null;
  view: View | null;
}

export interface HeatmapChanged {
  uri: string;
  version: number;
  complete: boolean;
}

export interface HeatmapCommand {
  uri: string;
  format?: 'json' | 'png' | 'svg' | 'html';
  kind?: 'matrix' | 'source';
  range?: Range;
  unit?: Unit;
  view?: ViewOptions;
  theme?: 'light' | 'dark';
  path?: string;
}

export interface HeatmapCommandResult {
  mimeType: string;
  encoding: 'utf8' | 'base64';
  data: string | null;
  path: string | null;
}

export const HEATMAP = new RequestType<HeatmapParams, HeatmapResult | null, void>('codegaze/heatmap');
export const RELATIONS = new RequestType<RelationsParams, RelationsResult | null, void>('codegaze/relations');
export const MATRIX = new RequestType<MatrixParams, MatrixResult | null, void>('codegaze/matrix');
export const THUMBNAILS = new RequestType<ThumbnailsParams, ThumbnailsResult | null, void>('codegaze/thumbnails');
export const MODEL = new RequestType<Record<string, never>, ModelResult, void>('codegaze/model');
export const STATUS = new NotificationType<Status>('codegaze/status');
export const HEATMAP_CHANGED = new NotificationType<HeatmapChanged>('codegaze/heatmapChanged');

/** `workspace/executeCommand`. */
export const SERVER_COMMANDS = {
  heatmap: 'codegaze.server.heatmap',
  setView: 'codegaze.server.setView',
  setModel: 'codegaze.server.setModel',
  downloadModel: 'codegaze.server.downloadModel',
  clearCache: 'codegaze.server.clearCache',
  info: 'codegaze.server.info',
} as const;
