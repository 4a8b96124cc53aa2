// The server's own requests and notifications: docs/protocol.md describes them, and their types come from Rust.
import { type Hover, NotificationType, RequestType } from 'vscode-languageclient/node';
import type { MethodName, Unit } from '../../../web/src/generated/lists';
import type {
  HeatmapResult,
  RelatedLexeme,
  RelationsResult,
  ThumbnailsResult,
  View,
  ViewOptions,
  MatrixResult as WebMatrixResult,
} from '../../../web/src/generated/live';
import type {
  ExplainParams,
  HeatmapChanged,
  HeatmapCommandResult,
  HeatmapParams,
  MatrixParams,
  ModelResult,
  RelationsParams,
  HeatmapCommand as ServerHeatmapCommand,
  Status,
  ThumbnailsParams,
} from '../../../web/src/generated/lsp';

export type {
  HeatmapChanged,
  HeatmapCommandResult,
  HeatmapResult,
  MethodName,
  ModelResult,
  RelatedLexeme,
  RelationsResult,
  Status,
  ThumbnailsResult,
  Unit,
  View,
  ViewOptions,
};

/** A result or an argument, and the document that it is about. */
type OfDocument<T> = T & { uri: string };

export type MatrixResult = OfDocument<WebMatrixResult>;
export type HeatmapCommand = OfDocument<ServerHeatmapCommand>;

export const HEATMAP = new RequestType<HeatmapParams, OfDocument<HeatmapResult> | null, void>('codegaze/heatmap');
export const EXPLAIN = new RequestType<ExplainParams, Hover | null, void>('codegaze/explain');
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
