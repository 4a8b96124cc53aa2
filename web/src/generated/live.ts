// What both servers send and receive, and the messages of the WebSocket. `just types` writes this file.
import type { Aggregate, Fusion, MethodName, Sinks, Unit } from './lists';

/** A zero-based line, and a column in the client's code units. */
export type Position = {
  line: number;
  character: number;
};

/** From `start` up to, but not including, `end`. */
export type Range = {
  start: Position;
  end: Position;
};

/** The code unit in which a client counts columns. */
export type Encoding = 'utf-8' | 'utf-16' | 'utf-32';

/** What an answer was made with. */
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

/** `ViewOptions` of `docs/protocol.md`: what to change of a view. A key that is absent changes nothing. */
export type ViewOptions = {
  /** How attention becomes scores; `received` by default. */
  method?: MethodName;
  /** Which layers: `last`, `all`, a number from 0, a range `0-5`, or a list; the method's own by default. */
  layers?: IndexChoice | null;
  /** Which heads, and how they become one: `mean`, `max`, a number from 0, a range `0-5`, or a list; `mean` by default. */
  heads?: IndexChoice;
  /** What happens to attention on special subwords; `drop` by default. */
  sinks?: Sinks;
  /** How a lexeme's subwords become one score; `sum` by default. */
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
  view: View;
  levels: number;
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
  view: View;
  levels: number;
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
  version: number;
  view: View;
  chunk: number;
  /** The number of chunks in the document. */
  chunks: number;
  /** The range of the chunk. */
  range: Range;
  /** The innermost definition at the position of the question, such as a method. */
  definition: Range | null;
  unit: Unit;
  /** Both axes. */
  tokens: MatrixToken[];
  /** [query, key], row-major, as base64 of little-endian f32. */
  weights: string;
  /** The greatest weight. */
  max: number;
  /** The share of attention that special subwords took. */
  sinkShare: number;
};

export type MatrixToken = {
  label: string;
  /** `null`: a special subword. */
  range: Range | null;
  score: number;
};

/** All maps of a chunk. */
export type ThumbnailsResult = {
  version: number;
  chunk: number;
  layers: number;
  heads: number;
  /** Cells on each side. */
  size: number;
  /** [layer, head, query, key], one byte for each cell, as base64. */
  cells: string;
};

/** What a lexeme attends to, and what attends to it. */
export type RelationsResult = {
  version: number;
  view: View;
  chunk: number;
  lexeme: LexemeHeat;
  /** Heaviest first. */
  attendsTo: RelatedLexeme[];
  /** Heaviest first. */
  attendedBy: RelatedLexeme[];
};

/** A lexeme with its numbers. */
export type LexemeHeat = {
  range: Range;
  text: string;
  /** 0 … 5. */
  level: number;
  /** The part of the chunk's attention, 0 … 1. */
  share: number;
  /** 1 is the average lexeme. */
  lift: number;
  rank: number;
};

/** A lexeme that another one attends to, or that attends to it. */
export type RelatedLexeme = {
  range: Range;
  text: string;
  /** A part of the attending lexeme's row, 0 … 1. */
  weight: number;
};

export type SummaryResult = {
  version: number;
  view: View;
  /** Ascending. Lines without lexemes are omitted. */
  lines: LineSummary[];
  /** The top-level definitions, ascending. */
  definitions: DefinitionSummary[];
  chunks: ChunkSummary[];
  /** The most attended lexemes, best first. */
  top: LexemeHeat[];
  sinkShare: number;
  whitespaceShare: number;
};

export type LineSummary = {
  line: number;
  /** The part of the document's attention; all lines sum to 1. */
  share: number;
  /** 1 is the average line. */
  lift: number;
  level: number;
};

export type DefinitionSummary = {
  range: Range;
  name: string;
  /** The part of the document's attention. */
  share: number;
  /** The share and the most attended lexeme, in words. */
  title: string;
  top: TopSummary | null;
};

/** The most attended lexeme of a definition. */
export type TopSummary = {
  range: Range;
  label: string;
  lift: number;
};

export type ChunkSummary = {
  /** The range that the chunk scores, without its context. */
  range: Range;
  /** Subwords, including special ones. */
  tokens: number;
  sinkShare: number;
  whitespaceShare: number;
  cached: boolean;
};
