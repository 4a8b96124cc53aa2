// The messages of the WebSocket, in both directions: see docs/http.md.
import type { Position, Range, View, ViewOptions } from '../view/view';

/** The WebSocket subprotocol. An incompatible version has another number. */
export const PROTOCOL = 'codegaze.1';

export interface Change {
  /** If omitted, `text` replaces the whole document. */
  range?: Range;
  text: string;
}

export type Unit = 'subword' | 'lexeme';

/** Selects a chunk by a position in it or by its number; without either, chunk 0. */
export interface Place {
  position?: Position;
  chunk?: number;
}

export interface Questions {
  matrix: Place & { model?: string; view?: ViewOptions; unit?: Unit };
  thumbnails: Place & { model?: string; size?: number };
  relations: { position: Position; limit?: number };
  summary: object;
}

export interface Answers {
  matrix: MatrixResult;
  thumbnails: ThumbnailsResult;
  relations: RelationsResult;
  summary: SummaryResult;
}

export type QuestionKind = keyof Questions;

export type ClientMessage =
  | {
      type: 'open';
      version: number;
      text: string;
      model?: string;
      view?: ViewOptions;
      range?: Range;
      encoding?: 'utf-8' | 'utf-16' | 'utf-32';
      /** Where levels 1 to 5 begin: five ascending quantiles of lift in the document. */
      levelQuantiles?: number[];
    }
  | { type: 'edit'; version: number; changes: Change[] }
  | { type: 'look'; range?: Range }
  | { type: 'view'; model?: string; view?: ViewOptions; levelQuantiles?: number[] }
  | { type: 'close' }
  | { [Kind in QuestionKind]: { type: Kind; id: number; slot?: string } & Questions[Kind] }[QuestionKind];

export interface Model {
  /** The name to use as `model`. */
  name: string;
  default: boolean;
  state: 'loading' | 'ready';
  source: 'embedded' | 'directory' | 'hub';
  /** This field and those below are `null` until the model is loaded. */
  id: string | null;
  revision: string | null;
  layers: number | null;
  heads: number | null;
  hidden_size: number | null;
  max_tokens: number | null;
  precision: string | null;
  device: string | null;
}

export interface Hello {
  type: 'hello';
  protocol: string;
  version: string;
  /** The first model is the default. */
  models: Model[];
  maxTextBytes: number;
}

export interface Status {
  type: 'status';
  state: 'loading' | 'ready';
  model: string;
}

export interface Heat {
  type: 'heat';
  version: number;
  view: View;
  levels: number;
  encoding: 'utf-8' | 'utf-16' | 'utf-32';
  /** `false`: the analysis is still running, and more heat will follow. */
  complete: boolean;
  chunks: { done: number; all: number; cached: number };
  unscored: Range[];
  /** Five integers for each lexeme, as in docs/protocol.md. */
  data: number[];
  sinkShare: number;
  analysisMs: number;
}

export type ErrorType =
  | 'malformed'
  | 'unauthorized'
  | 'forbidden_host'
  | 'forbidden_origin'
  | 'not_found'
  | 'method_not_allowed'
  | 'body_timeout'
  | 'too_large'
  | 'unsupported_media_type'
  | 'unanalysable'
  | 'busy'
  | 'internal'
  | 'model_loading'
  | 'shutting_down'
  | 'deadline'
  | 'superseded';

export interface ErrorMessage {
  type: 'error';
  /** The question's id; `null` if the error does not answer a question. */
  id: number | null;
  error: string;
  error_type: ErrorType;
}

export type Answer = {
  [Kind in QuestionKind]: { type: Kind; id: number; result: Answers[Kind] | null };
}[QuestionKind];

export type ServerMessage = Hello | Status | Heat | ErrorMessage | Answer;

export interface MatrixToken {
  label: string;
  /** `null`: a special subword. */
  range: Range | null;
  score: number;
}

export interface MatrixResult {
  version: number;
  view: View;
  chunk: number;
  chunks: number;
  range: Range;
  definition: Range | null;
  unit: Unit;
  tokens: MatrixToken[];
  /** [query, key], row-major, as base64 of little-endian f32. */
  weights: string;
  max: number;
  sinkShare: number;
}

export interface ThumbnailsResult {
  version: number;
  chunk: number;
  layers: number;
  heads: number;
  size: number;
  /** [layer, head, query, key], one byte for each cell, as base64. */
  cells: string;
}

export interface LexemeHeat {
  range: Range;
  text: string;
  level: number;
  /** The part of the chunk's attention, 0 … 1. */
  share: number;
  /** 1 is the average lexeme. */
  lift: number;
  rank: number;
}

export interface RelatedLexeme {
  range: Range;
  text: string;
  weight: number;
}

export interface RelationsResult {
  version: number;
  view: View;
  chunk: number;
  lexeme: LexemeHeat;
  attendsTo: RelatedLexeme[];
  attendedBy: RelatedLexeme[];
}

export interface LineSummary {
  line: number;
  share: number;
  lift: number;
  level: number;
}

export interface DefinitionSummary {
  range: Range;
  name: string;
  share: number;
  title: string;
  top: { range: Range; label: string; lift: number } | null;
}

export interface ChunkSummary {
  range: Range;
  tokens: number;
  sinkShare: number;
  whitespaceShare: number;
  cached: boolean;
}

export interface SummaryResult {
  version: number;
  view: View;
  lines: LineSummary[];
  definitions: DefinitionSummary[];
  chunks: ChunkSummary[];
  top: LexemeHeat[];
  sinkShare: number;
  whitespaceShare: number;
}
