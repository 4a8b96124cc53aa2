// What both servers send and receive, and the messages of the WebSocket. `just types` writes this file.
import type { Aggregate, Fusion, MethodName, Sinks, Unit } from './lists';

/** A line, and a column in the client's code units, both from 0. */
export type Position = {
  /** The line, from 0. */
  line: number;
  /** The column in code units, from 0. */
  character: number;
};

/** From `start` up to, but not including, `end`. */
export type Range = {
  /** The position of the first code unit. */
  start: Position;
  /** The position after the last code unit. */
  end: Position;
};

/** The code unit in which a client counts columns. */
export type Encoding = 'utf-8' | 'utf-16' | 'utf-32';

/** The model and the view of a result. */
export type View = {
  model: string;
  /** The commit of a hub model. */
  revision: string | null;
  method: MethodName;
  layers: number[];
  heads: Fusion | number[];
  sinks: Sinks;
  aggregate: Aggregate;
};

/** The options of a view to change. An omitted option keeps its value. `docs/protocol.md` describes them. */
export type ViewOptions = {
  /** How attention becomes scores; `received` by default. */
  method?: MethodName;
  /** Which layers: `last`, `all`, a number from 0, a range `0-5`, or a list; the method's own by default. */
  layers?: IndexChoice | null;
  /** Which heads, and how they become one: `mean`, `max`, a number from 0, a range `0-5`, or a list; `mean` by default. */
  heads?: IndexChoice;
  /** What happens to attention on special subwords; `drop` by default. */
  sinks?: Sinks;
  /** How a lexeme's subwords become one score; `corrected` by default. */
  aggregate?: Aggregate;
};

/** A word, a number from 0, a range such as `0-5`, or a list. */
export type IndexChoice = string | number | number[];

/** From the client. */
export type ClientMessage =
  | {
      type: 'open';
      version: number;
      text: string;
      /** As in a request to `/analyze`: an id as in the Language Server Protocol or a common alias. */
      language?: string;
      model?: string;
      view?: ViewOptions;
      range?: Range;
      encoding?: Encoding;
      /** Where levels 1 to 5 begin: five ascending quantiles of lift in the document. */
      levelQuantiles?: number[];
    }
  | {
      type: 'edit';
      version: number;
      changes: Change[];
    }
  | {
      type: 'look';
      range?: Range;
    }
  | {
      type: 'view';
      model?: string;
      view?: ViewOptions;
      /** As in `open`. */
      levelQuantiles?: number[];
    }
  | {
      type: 'matrix';
      id: number;
      slot?: string;
      position?: Position;
      chunk?: number;
      model?: string;
      view?: ViewOptions;
      unit?: Unit;
    }
  | {
      type: 'thumbnails';
      id: number;
      slot?: string;
      position?: Position;
      chunk?: number;
      model?: string;
      size?: number;
    }
  | {
      type: 'relations';
      id: number;
      slot?: string;
      position: Position;
      limit?: number;
    }
  | {
      type: 'summary';
      id: number;
      slot?: string;
      /** The number of most attended lexemes in the result; 20 by default. */
      top?: number;
    }
  | {
      type: 'close';
    };

/** A change of the text, as in the Language Server Protocol. */
export type Change = {
  /** If omitted, `text` replaces the whole document. */
  range?: Range;
  /** The new text. */
  text: string;
};

/** From the server, without a question. */
export type Notice =
  | {
      type: 'hello';
      protocol: string;
      version: string;
      /** As in `GET /models`. */
      models: Model[];
      maxTextBytes: number;
    }
  | {
      type: 'status';
      state: ModelState;
      model: string;
    }
  | {
      type: 'error';
      /** The question's id; `null` if the error does not answer a question. */
      id: number | null;
      /** For a person, in one line. */
      error: string;
      error_type: ErrorType;
    };

export type Model = {
  /** The name to use as `model`: the one that the server was started with. */
  name: string;
  default: boolean;
  state: ModelState;
  source: ModelOrigin;
  /** This field and those below are null until the model is loaded. */
  id: string | null;
  /** The commit of a hub model. */
  revision: string | null;
  layers: number | null;
  heads: number | null;
  hidden_size: number | null;
  /** The number of subwords that fit into one pass, including special ones. */
  max_tokens: number | null;
  precision: string | null;
  device: string | null;
};

export type ModelState = 'loading' | 'ready';

export type ModelOrigin = 'embedded' | 'directory' | 'hub';

/** The body of every error. */
export type ErrorBody = {
  /** For a person, in one line. */
  error: string;
  error_type: ErrorType;
};

/** `error_type`, by which programs distinguish errors. */
export type ErrorType =
  | 'malformed'
  | 'unauthorized'
  | 'forbidden_host'
  | 'forbidden_origin'
  | 'not_found'
  | 'method_not_allowed'
  | 'upgrade_required'
  | 'body_timeout'
  | 'too_large'
  | 'unsupported_media_type'
  | 'headers_too_large'
  | 'unanalysable'
  | 'busy'
  | 'internal'
  | 'model_loading'
  | 'shutting_down'
  | 'deadline'
  | 'superseded';

/** The heat of the newest version. */
export type Heat = {
  type: 'heat';
  chunks: Progress;
  sinkShare: number;
  analysisMs: number;
  /** The version of the document that was analyzed. */
  version: number;
  /** How attention became scores. */
  view: View;
  /** The number of levels. */
  levels: number;
  /** The code unit of columns and lengths. */
  encoding: Encoding;
  /** `false`: the analysis is still running, and more heat will follow. */
  complete: boolean;
  /** Parts of the document that have no scores. */
  unscored: Range[];
  /** Five integers for each lexeme, as in docs/protocol.md. */
  data: number[];
};

/** Heat, packed like semantic tokens. */
export type HeatmapResult = {
  /** The version of the document that was analyzed. */
  version: number;
  /** How attention became scores. */
  view: View;
  /** The number of levels. */
  levels: number;
  /** The code unit of columns and lengths. */
  encoding: Encoding;
  /** `false`: the analysis is still running, and more heat will follow. */
  complete: boolean;
  /** Parts of the document that have no scores. */
  unscored: Range[];
  /** Five integers for each lexeme, as in docs/protocol.md. */
  data: number[];
};

/** How many chunks are analyzed. */
export type Progress = {
  done: number;
  all: number;
  /** Of those that are done. */
  cached: number;
};

/** A chunk's query × key matrix. */
export type MatrixResult = {
  /** The version of the document that was analyzed. */
  version: number;
  /** How attention became scores. */
  view: View;
  /** The index of the chunk. */
  chunk: number;
  /** The number of chunks in the document. */
  chunks: number;
  /** The range of the chunk. */
  range: Range;
  /** The innermost definition at the position of the question, such as a method. */
  definition: Range | null;
  /** What a row and a column stand for. */
  unit: Unit;
  /** The rows, which are also the columns. */
  tokens: MatrixToken[];
  /** [query, key], row-major, as base64 of little-endian f32. */
  weights: string;
  /** The greatest weight. */
  max: number;
  /** The share of attention that special subwords took. */
  sinkShare: number;
};

/** One row and one column of a matrix. */
export type MatrixToken = {
  /** The text, with invisible characters made visible. */
  label: string;
  /** Where it is; `null` for a special subword. */
  range: Range | null;
  /** The score. */
  score: number;
};

/** Thumbnails of the maps of all layers and heads of a chunk. */
export type ThumbnailsResult = {
  /** The version of the document that was analyzed. */
  version: number;
  /** The index of the chunk. */
  chunk: number;
  /** The number of layers. */
  layers: number;
  /** The number of heads in each layer. */
  heads: number;
  /** The number of cells on each side of a map. */
  size: number;
  /** [layer, head, query, key], one byte for each cell, as base64. */
  cells: string;
};

/** What a lexeme attends to, and what attends to it. */
export type RelationsResult = {
  /** The version of the document that was analyzed. */
  version: number;
  /** How attention became scores. */
  view: View;
  /** The index of the chunk. */
  chunk: number;
  /** The lexeme that was requested. */
  lexeme: LexemeHeat;
  /** The lexemes that it attends to, heaviest first. */
  attendsTo: RelatedLexeme[];
  /** The lexemes that attend to it, heaviest first. */
  attendedBy: RelatedLexeme[];
};

/** A lexeme with its numbers. */
export type LexemeHeat = {
  /** Where the lexeme is. */
  range: Range;
  /** The text of the lexeme. */
  text: string;
  /** 0 … 5. */
  level: number;
  /** The part of the chunk's attention, 0 … 1. */
  share: number;
  /** 1 is the average lexeme. */
  lift: number;
  /** The position in the order of lift in the document, from 1. */
  rank: number;
};

/** A lexeme that another one attends to, or that attends to it. */
export type RelatedLexeme = {
  /** Where the lexeme is. */
  range: Range;
  /** The text of the lexeme. */
  text: string;
  /** A part of the attending lexeme's row, 0 … 1. */
  weight: number;
};

/** The shares of all lines, definitions and chunks, and the most attended lexemes. */
export type SummaryResult = {
  /** The version of the document that was analyzed. */
  version: number;
  /** How attention became scores. */
  view: View;
  /** The lines with lexemes, ascending. */
  lines: LineSummary[];
  /** The top-level definitions, ascending. */
  definitions: DefinitionSummary[];
  /** The chunks, ascending. */
  chunks: ChunkSummary[];
  /** The most attended lexemes, best first. */
  top: LexemeHeat[];
  /** The share of attention on special subwords. */
  sinkShare: number;
  /** The share of scores on whitespace. */
  whitespaceShare: number;
};

/** The share of one line. */
export type LineSummary = {
  /** The line, from 0. */
  line: number;
  /** The part of the document's attention; all lines sum to 1. */
  share: number;
  /** 1 is the average line. */
  lift: number;
  /** The heat level, 0 … 5. */
  level: number;
};

/** The share of one top-level definition. */
export type DefinitionSummary = {
  /** Where the definition is. */
  range: Range;
  /** The name of the definition. */
  name: string;
  /** The part of the document's attention. */
  share: number;
  /** The share and the most attended lexeme, in words. */
  title: string;
  /** The most attended lexeme; `null` if nothing in the definition has scores. */
  top: TopSummary | null;
};

/** The most attended lexeme of a definition. */
export type TopSummary = {
  /** Where the lexeme is. */
  range: Range;
  /** The text of the lexeme, legible and limited in length. */
  label: string;
  /** 1 is the average lexeme. */
  lift: number;
};

/** The size and shares of one chunk. */
export type ChunkSummary = {
  /** The range that the chunk scores, without its context. */
  range: Range;
  /** The number of subwords, including special ones. */
  tokens: number;
  /** The share of attention on special subwords. */
  sinkShare: number;
  /** The share of scores on whitespace. */
  whitespaceShare: number;
  /** Whether the scores came from the cache. */
  cached: boolean;
};
